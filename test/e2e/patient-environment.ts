import { environment } from "../../environment/environment.ts";
import local from "./on-node-port.ts";
import quick from "./quick-environment.ts";

const { durationSeconds } = local.release.bake;

/** The quick environment with the bake of `local`: long enough to disturb it. */
export default environment({
  ...quick,
  release: { ...quick.release, bake: { ...quick.release.bake, durationSeconds } },
});
