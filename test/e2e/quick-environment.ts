import local from "../../environments/local.ts";
import { environment } from "../../environments/environment.ts";

/** Environment `local` with a short bake: its pods and objects are the same. */
export default environment({
  ...local,
  release: { ...local.release, bake: { ...local.release.bake, durationSeconds: 6, intervalSeconds: 2, minCalls: 5 } },
});
