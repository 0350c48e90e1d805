import { environment } from "../../environment/environment.ts";
import quick from "./quick-environment.ts";
import { REDIS_NAMESPACE } from "./redis.ts";

/** The quick environment with a Redis that pods share, and a volume for each to write to. */
export default environment({
  ...quick,
  app: { ...quick.app, redis: { namespace: REDIS_NAMESPACE }, dataVolume: { type: "emptyDir", sizeLimit: "64Mi" } },
  release: { ...quick.release, bake: { ...quick.release.bake, durationSeconds: 10 } },
});
