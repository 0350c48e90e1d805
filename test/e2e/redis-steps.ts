import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { other } from "../../environment/color.ts";
import { healthOf, liveColor, podIdentities } from "./cluster.ts";
import { imageOf } from "./images.ts";
import { inWords, underLoad } from "./load.ts";
import { killRedis, redisPassword, redisUrl, removeRedis, restartRedis, startRedis } from "./redis.ts";
import { releaseOf, status } from "./release.ts";
import { storeThroughService } from "./session.ts";
import type { Step } from "./step.ts";
import { deploy, plan, statesWith } from "./terraform.ts";

const WITH_REDIS = "test/e2e/with-redis.ts";

/** State that pods share, from the deploy that names it to its loss. */
export const REDIS_STEPS: readonly Step[] = [
  {
    name: "a Redis and a volume that the environment gets leave every pod alone; the URL is in no state and no plan",
    async run() {
      const before = await podIdentities();
      await startRedis();
      const inputs = { ENVIRONMENT: WITH_REDIS, TF_VAR_redis_url: redisUrl };
      const { "local-platform": platform } = await plan(inputs);
      await deploy("all", inputs);
      assert.deepEqual(await podIdentities(), before);
      assert.deepEqual(await statesWith(redisPassword), []);
      const { pending } = await status(WITH_REDIS);
      assert.ok(
        ["env.DATA_DIR", "env.REDIS_PREFIX"].every((name) => pending.some(({ setting }) => setting === name)),
        `the next release would not bring them: ${JSON.stringify(pending)}`,
      );
      return platform.join(", ");
    },
  },
  {
    name: "released with no failed call, every pod of the new color is connected to Redis and stores on its volume",
    async run() {
      const before = await liveColor();
      const load = await underLoad(() =>
        releaseOf(WITH_REDIS, "run", "--image", imageOf("1.1.0"), "--version", "1.1.0"),
      );
      assert.equal(await liveColor(), other(before));
      await redisIs("healthy");
      assert.partialDeepStrictEqual(await storeThroughService(), { status: "stored", durability: "pod" });
      return inWords(load);
    },
  },
  {
    name: "Redis is killed under load and comes back empty: no call fails, and every pod returns to it",
    async run() {
      const load = await underLoad(async () => {
        await killRedis();
        await redisIs("degraded");
        await restartRedis();
        await redisIs("healthy");
      });
      await removeRedis();
      return inWords(load);
    },
  },
];

/** Waits until every pod of the live color sees Redis so. */
async function redisIs(wanted: "healthy" | "degraded"): Promise<void> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const seen = (await healthOf(await liveColor())).map(
      ({ dependencies }) => dependencies.redis?.status ?? "not used",
    );
    if (seen.length > 0 && seen.every((status) => status === wanted)) return;
    if (performance.now() > deadline)
      throw new Error(`Redis should be ${wanted} for every pod, it is ${seen.join(", ")}`);
    await sleep(200);
  }
}
