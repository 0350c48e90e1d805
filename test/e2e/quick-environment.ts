import local from "./on-node-port.ts";
import { environment } from "../../environment/environment.ts";

const { metrics, bake } = local.release;

/** A machine that runs the whole cluster may be slow. What a release does about latency is not tested with this one. */
const maxP95Ms = 2000;

/** Environment `local` with a release of some seconds: its pods and objects are the same. */
export default environment({
  ...local,
  release: {
    ...local.release,
    metrics: { ...metrics, maxP95Ms },
    bake: { ...bake, durationSeconds: 3, intervalSeconds: 1, maxP95Ms },
  },
});
