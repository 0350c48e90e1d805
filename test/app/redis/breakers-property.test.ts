import { afterAll, beforeAll, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { Redis } from "../../../app/src/redis/redis.ts";
import { describeWithRedis } from "../../redis/describe.ts";
import { startRedis, type RedisServer } from "../../redis/server.ts";
import { closeConnections, connected } from "./redis-connections.ts";
import { INTERVAL, PATIENCE, Simulation, type Link, type SimulatedPod } from "./simulation.ts";

let server: RedisServer;
let redis: Redis;
beforeAll(async () => {
  server = await startRedis();
  redis = await connected(server.url, { timeout: 5000 });
});
afterAll(async () => {
  await closeConnections();
  await server.close();
});

/** The longer of those that are tried: with the shorter one, probes outlast their episode. */
const RECOVERY = 500;
const pod = fc.nat(4);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("call" as const), pod }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("end" as const), pod, which: fc.nat(3), cancel: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("break" as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("wait" as const),
      milliseconds: fc.constantFrom(20, INTERVAL, 3 * INTERVAL, PATIENCE, RECOVERY, 2 * RECOVERY),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("fail all" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("call all" as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("probe" as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("fail a probe" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("deliver" as const), pod, which: fc.nat(5), again: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("lose" as const), pod }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("toggle" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("flush" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("set back" as const), by: fc.constantFrom(INTERVAL, 5000, 1e7) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("jump" as const), pod, by: fc.integer({ min: -5000, max: 5000 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("link" as const),
      pod,
      link: fc.constantFrom<Link>("up", "down", "deaf"),
    }),
  },
);

const callAt = (simulation: Simulation) => (pod: SimulatedPod) => {
  simulation.call(pod);
};

const setting = fc.record({
  pods: fc.integer({ min: 2, max: 5 }),
  limit: fc.integer({ min: 1, max: 3 }),
  threshold: fc.integer({ min: 1, max: 3 }),
  recovery: fc.constantFrom(PATIENCE / 4, RECOVERY),
  poisoned: fc.constantFrom(-1, 0),
});

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Two probes, of which one fails and the other is still under way when the next ones are due. */
const OUTLASTING: Step[] = [
  { do: "wait", milliseconds: PATIENCE },
  { do: "fail all" },
  { do: "wait", milliseconds: 3 * INTERVAL },
  { do: "probe" },
  { do: "fail a probe" },
  { do: "probe" },
];

const OPEN_WHILE_SET_BACK: Step[] = [
  { do: "wait", milliseconds: 2 * RECOVERY },
  { do: "fail all" },
  { do: "set back", by: 1e7 },
];

describeWithRedis("any history of calls, reports, lost and late messages, cuts and clock jumps, of Redis too", () => {
  it("never has more probes under way than are allowed, forgets no epoch, and ends with all closed once all is well", async () => {
    await fc.assert(
      fc.asyncProperty(setting, fc.array(step, { maxLength: 40, size: "max" }), async (options, history) => {
        const simulation = await Simulation.start(redis, options);
        try {
          const { pods } = simulation;
          const the = (index: number) => pods[index % pods.length] ?? pods[0];
          const epochs = pods.map(() => 0);
          let wasDown = false;
          for (const one of history) {
            const it = "pod" in one ? the(one.pod) : pods[0];
            if (it === undefined) throw new Error("no pod");
            if (one.do === "call") simulation.call(it);
            else if (one.do === "end") simulation.end(it, one.which, one.cancel === 0);
            else if (one.do === "wait") await simulation.pass(one.milliseconds);
            else if (one.do === "break") simulation.isWell = false;
            else if (one.do === "toggle") simulation.isWell = !simulation.isWell;
            else if (one.do === "call all") pods.forEach(callAt(simulation));
            else if (one.do === "fail a probe") {
              simulation.isWell = false;
              simulation.endProbe();
            } else if (one.do === "probe") {
              pods.forEach(callAt(simulation));
              await simulation.pass(2 * options.recovery);
              pods.forEach(callAt(simulation));
              await simulation.pass(20);
              pods.forEach(callAt(simulation));
            } else if (one.do === "fail all") {
              simulation.isWell = false;
              for (const each of [...pods, ...pods]) {
                simulation.call(each);
                simulation.end(each, each.permits.length - 1, false);
              }
            } else if (one.do === "deliver") {
              const index = one.which % Math.max(1, it.mailbox.length);
              const message = it.mailbox[index];
              if (message !== undefined) it.redis.hear(message);
              if (!one.again) it.mailbox.splice(index, 1);
            } else if (one.do === "lose") it.mailbox.length = 0;
            else if (one.do === "flush") await simulation.flush();
            else if (one.do === "set back") await simulation.setRedisBack(one.by);
            else if (one.do === "jump") it.clock.jump(one.by);
            else simulation.setLink(it, one.link);
            await simulation.settle();

            wasDown ||= !simulation.isWell;
            expect(simulation.probes).toBeLessThanOrEqual(options.limit);
            if (!wasDown) expect(pods.filter(({ shared }) => shared.holdsOpen("api"))).toEqual([]);
            pods.forEach(({ shared }, index) => {
              expect(shared.stats.epoch).toBeGreaterThanOrEqual(epochs[index] ?? 0);
              epochs[index] = shared.stats.epoch;
            });
          }

          simulation.isWell = true;
          for (const each of pods) simulation.setLink(each, "up");
          const sound = pods.filter(({ isPoisoned }) => !isPoisoned);
          const isOver = () => sound.every(({ breaker }) => breaker.state === "closed");
          const deadline = simulation.now + 20 * RECOVERY;
          while (!isOver() && simulation.now < deadline) {
            for (const each of pods) {
              simulation.call(each);
              while (each.permits.length > 0) simulation.end(each, 0, false);
            }
            await simulation.pass(20);
          }
          expect(sound.map(({ breaker }) => breaker.state)).toEqual(sound.map(() => "closed"));
        } finally {
          await simulation.close();
        }
      }),
      {
        numRuns: 60,
        examples: [
          [{ pods: 4, limit: 2, threshold: 1, recovery: 100, poisoned: -1 }, OUTLASTING],
          [{ pods: 2, limit: 1, threshold: 1, recovery: 100, poisoned: -1 }, OPEN_WHILE_SET_BACK],
        ],
      },
    );
  }, 30_000);
});
