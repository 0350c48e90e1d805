import { environment } from "../../../environment/environment.ts";
import patient from "../patient-environment.ts";

/** The patient environment with a bake of minutes. */
export default environment({
  ...patient,
  release: { ...patient.release, bake: { ...patient.release.bake, durationSeconds: 300 } },
});
