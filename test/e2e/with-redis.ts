import local from "../../environments/local.ts";
import { environment } from "../../environment/environment.ts";
import { REDIS_NAMESPACE } from "./redis.ts";

/** Environment `local` with a Redis that pods share, and a volume for each to write to. */
export default environment({
  ...local,
  app: { ...local.app, redis: { namespace: REDIS_NAMESPACE }, dataVolume: { type: "emptyDir", sizeLimit: "64Mi" } },
  release: { ...local.release, bake: { ...local.release.bake, durationSeconds: 10 } },
});
