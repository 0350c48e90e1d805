import { describe, expect, it } from "@jest/globals";
import { arrive } from "../../rehearse/traffic/arrivals.ts";
import { Callers } from "../../rehearse/traffic/callers.ts";
import { pulse } from "../../rehearse/traffic/question.ts";
import type { Answered } from "../../rehearse/traffic/sampler.ts";
import { startTestApp } from "../app/running-app.ts";

describe("arrivals", () => {
  it("come once a period, at a random time in it, with the time at which they were to come", async () => {
    const stop = new AbortController();
    const randoms = [0.5, 0, 0.9, 0.25];
    const times: number[] = [];
    const start = performance.now();
    await arrive({
      perSecond: 100,
      signal: stop.signal,
      random: () => randoms[times.length] ?? 0,
      onArrival: (at) => {
        times.push(at);
        if (times.length === randoms.length) stop.abort();
      },
    });

    const [first = 0] = times;
    expect(first - start).toBeLessThan(10);
    expect(times.map((at) => Math.round((at - first) * 10) / 10)).toEqual([0, 5, 24, 27.5]);
  });

  it("that this process was too busy for come at once, and none is left out", async () => {
    const stop = new AbortController();
    const late: number[] = [];
    await arrive({
      perSecond: 1000,
      signal: stop.signal,
      onArrival: (at) => {
        const now = performance.now();
        late.push(now - at);
        // The process is busy for 50 arrivals.
        if (late.length === 1) while (performance.now() < now + 50);
        if (late.length === 50) stop.abort();
      },
    });

    expect(Math.max(...late)).toBeGreaterThan(40);
  });
});

describe("callers of a version that does not answer", () => {
  it("are at most as many as allowed; other calls wait, which counts as latency, until the line is full", async () => {
    const held = Promise.withResolvers<undefined>();
    const twoUnderWay = Promise.withResolvers<undefined>();
    let underWay = 0;
    let mostUnderWay = 0;
    let dropped = 0;
    await using app = await appThat(async () => {
      underWay += 1;
      mostUnderWay = Math.max(mostUnderWay, underWay);
      if (underWay === 2) twoUnderWay.resolve(undefined);
      await held.promise;
      underWay -= 1;
    });
    const stop = new AbortController();
    const answers: Answered[] = [];
    const failures: unknown[] = [];
    const callers = new Callers({
      url: app.endpoint,
      connection: "fresh",
      era: "legacy",
      least: 1,
      most: 2,
      line: 4,
      isPulse: true,
      sampler: {
        answered: (answer) => {
          if (answers.push(answer) === 5) stop.abort();
        },
        failed: (failure) => failures.push(failure),
        sessionEnded: () => undefined,
        dropped: () => (dropped += 1),
      },
      signal: stop.signal,
      next: () => pulse,
    });
    await callers.open();
    const arrivedAt = performance.now() - 3000;
    for (let call = 0; call < 7; call++) callers.arrive(arrivedAt);
    await twoUnderWay.promise;
    const { unanswered } = callers;
    held.resolve(undefined);
    await callers.ended();

    expect({ unanswered, mostUnderWay, dropped, failures }).toEqual({
      unanswered: 5,
      mostUnderWay: 2,
      dropped: 2,
      failures: [],
    });
    expect(callers.unanswered).toBe(0);
    expect(Math.min(...answers.map(({ latencyMs }) => latencyMs))).toBeGreaterThanOrEqual(3000);
    // A switch is timed from the opened connection and not from the arrival.
    expect(Math.min(...answers.map(({ openedAt = 0 }) => openedAt))).toBeGreaterThan(
      performance.timeOrigin + arrivedAt + 2999,
    );
  });
});

/** The app with something before each answer of `simple_health`. */
async function appThat(before: () => Promise<void>) {
  const app = await startTestApp(
    {},
    {
      tools: (tools) =>
        tools.map((tool) =>
          tool.name !== "simple_health"
            ? tool
            : {
                ...tool,
                async handle(args, context) {
                  await before();
                  return await tool.handle(args, context);
                },
              },
        ),
    },
  );
  return {
    endpoint: app.endpoint,
    async [Symbol.asyncDispose]() {
      await app.close();
    },
  };
}
