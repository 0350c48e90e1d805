import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import type { Color } from "../../../environment/color.ts";
import { CallsUnderTest } from "../../../release/bake/calls-under-test.ts";
import { TargetRefused, TargetUnreachable } from "../../../release/errors.ts";
import type { ReleaseEvent } from "../../../release/events.ts";
import type { Verdict } from "../../../release/gates/gate.ts";
import type { CallHistogram } from "../../../release/measure/histogram.ts";
import type { Endpoint } from "../../../release/ports/probe.ts";
import { observe } from "../../../release/snapshot.ts";
import { fastClock } from "../fast-clock.ts";
import { serve, type Running } from "../local/fixtures/app.ts";
import environment from "../local/fixtures/environment.ts";
import { MemoryTarget } from "../memory-target.ts";

/** Not faster, because the calls are real ones, also on a busy machine. */
const clock = fastClock(3);

/** Two colors that answer on real ports, with live traffic that the test makes up. */
class Colors extends MemoryTarget {
  readonly failing: Record<Color, boolean> = { blue: false, green: false };
  override live: Color = "green";
  unreachable = new Set<Color>();
  unread: readonly string[] = [];
  /** The bound of the histogram, in seconds. */
  bound = 5;
  /** What the pod of green has counted: live calls, and the synthetic ones that it answered. */
  readonly counted = { calls: 0, errors: 0, slow: 0 };
  readonly #apps: Partial<Record<Color, Running>> = {};

  async start(): Promise<void> {
    for (const color of ["blue", "green"] as const) {
      this.#apps[color] = await serve({
        version: "2",
        echo: (text) => {
          if (color === "green") this.carry(1, this.failing.green ? 1 : 0);
          if (this.failing[color]) throw new Error("broken");
          return text;
        },
      });
    }
    this.probe.endpoint = (color) => this.#endpointOf(color);
  }

  carry(calls: number, errors = 0, slow = 0): void {
    this.counted.calls += calls;
    this.counted.errors += errors;
    this.counted.slow += slow;
  }

  override async callsByPod() {
    if (this.unread.length > 0) throw new TargetUnreachable(this.unread[0] ?? "");
    const { calls, errors, slow } = this.counted;
    const buckets = new Map([
      [this.bound, calls - slow],
      [Infinity, calls],
    ]);
    const histogram: CallHistogram = { calls, errors, buckets };
    return await Promise.resolve({ pods: new Map([["pod", histogram]]), unread: [] });
  }

  override async close(): Promise<void> {
    await Promise.all(Object.values(this.#apps).map((app) => app.close()));
  }

  async #endpointOf(color: Color): Promise<Endpoint> {
    if (this.unreachable.has(color)) throw new TargetRefused("forbidden", "may not 'get' pods/portforward");
    const url = new URL(`http://127.0.0.1:${this.#apps[color]?.mcpPort}/mcp`);
    return await Promise.resolve({ url, fetch, pods: 1, close: () => Promise.resolve() });
  }
}

let target: Colors;
let bakeOver: AbortController;
let events: ReleaseEvent[];

beforeEach(async () => {
  target = new Colors();
  await target.start();
  bakeOver = new AbortController();
  events = [];
});

afterEach(async () => {
  bakeOver.abort();
  await target.close();
});

const context = () => ({
  target,
  environment,
  color: "green" as const,
  version: "2",
  signal: bakeOver.signal,
  clock,
  listener: (event: ReleaseEvent) => events.push(event),
});

/** Checks every second of the bake, until the test has seen enough. */
async function bakeUntil(seen: (verdict: Verdict) => boolean, eachSecond: (second: number) => void = () => undefined) {
  const calls = new CallsUnderTest(context());
  for (let second = 1; second <= 60; second++) {
    eachSecond(second);
    await clock.sleep(1000);
    const snapshot = await observe(target);
    const verdict = await calls.check({ ...context(), snapshot, needed: 1, remainingSeconds: 10 });
    if (seen(verdict)) return verdict;
  }
  throw new Error("the bake did not show it within a minute");
}

const lastEvidence = (source: "live" | "synthetic") =>
  events.findLast((event) => event.type === "evidence" && event.source === source && event.objective === "failed");

jest.setTimeout(60_000);

describe("the calls of a bake", () => {
  it("pass, and are not enough to retire before they rule out what nobody would tolerate", async () => {
    let passed = 0;
    const verdict = await bakeUntil(
      ({ outcome, needsMore }) => {
        if (outcome === "pass") passed += 1;
        return needsMore !== true;
      },
      () => {
        target.carry(3);
      },
    );

    expect(verdict).toMatchObject({ outcome: "pass" });
    expect(passed).toBeGreaterThan(1);
    expect(verdict.evidence).toMatch(/^live: \d+ calls, 0 failed \(0 to [\d.]+ %, limit 10 %\), 0 slow/);
  });

  it("come from synthetic calls where there is no traffic", async () => {
    const verdict = await bakeUntil(({ needsMore }) => needsMore !== true);

    expect(verdict.outcome).toBe("pass");
    const [live, synthetic] = [lastEvidence("live"), lastEvidence("synthetic")];
    // A pod may have counted calls whose answers are still on their way.
    expect(live).toMatchObject({ bad: 0 });
    expect(live?.type === "evidence" && live.calls).toBeLessThan(10);
    expect(synthetic?.type === "evidence" && synthetic.calls).toBeGreaterThan(20);
  });

  it("fail at once, without further checks, when live calls of the new color alone fail", async () => {
    const verdict = await bakeUntil(
      ({ outcome }) => outcome === "fail",
      (second) => {
        target.carry(20, second < 4 ? 0 : 10);
      },
    );

    expect(verdict.final).toBe(true);
    expect(verdict.evidence).toMatch(
      /^\d+ of \d+ live calls failed in the whole bake .*; of the old color's calls at that time 0 of \d+$/,
    );
  });

  it("fail when live calls are slow, however many good synthetic ones there are", async () => {
    const verdict = await bakeUntil(
      ({ outcome }) => outcome === "fail",
      () => {
        target.carry(20, 0, 10);
      },
    );

    expect(verdict.evidence).toContain("live calls slow");
  });

  it("do not fail a version when both colors share an outage, which is set aside", async () => {
    const outcomes: string[] = [];
    const verdict = await bakeUntil(
      ({ outcome, needsMore, evidence }) => {
        outcomes.push(outcome === "inconclusive" ? evidence : outcome);
        return outcome === "fail" || (outcomes.length > 15 && needsMore !== true);
      },
      (second) => {
        const away = second >= 4 && second < 8;
        target.failing.blue = away;
        target.failing.green = away;
        target.carry(20, away ? 20 : 0);
      },
    );

    expect(outcomes.join("\n")).toContain("an outage of both colors");
    expect(verdict.outcome).toBe("pass");
  });

  it("fail also when no call to the old color could be made to tell an outage of both", async () => {
    target.unreachable.add("blue");
    const verdict = await bakeUntil(
      ({ outcome }) => outcome === "fail",
      () => {
        target.carry(20, 10);
      },
    );

    expect(verdict.evidence).toContain("do not show an outage of both");
  });

  it("fail also when the old color fails now and then, all the time, and the new one always", async () => {
    const verdict = await bakeUntil(
      ({ outcome }) => outcome === "fail",
      (second) => {
        target.failing.blue = second % 4 === 0;
        target.carry(20, second < 9 ? 0 : 20);
      },
    );

    expect(verdict.final).toBe(true);
  });

  it("fail also when the old color does not have what the synthetic calls ask for", async () => {
    target.failing.blue = true;
    const verdict = await bakeUntil(
      ({ outcome }) => outcome === "fail",
      (second) => {
        target.carry(20, second < 4 ? 0 : 10);
      },
    );

    expect(verdict.evidence).toContain("do not show an outage of both");
  });

  it("fail by the synthetic ones when no pod can be read", async () => {
    target.unread = ["pod does not answer /metrics"];
    target.failing.green = true;
    const verdict = await bakeUntil(({ outcome }) => outcome === "fail");

    expect(verdict.evidence).toContain("synthetic calls failed");
  });

  it("are inconclusive while no pod can be read, and say why", async () => {
    target.unread = ["pod does not answer /metrics"];
    const verdict = await bakeUntil(() => true);

    expect(verdict).toMatchObject({ outcome: "inconclusive" });
    expect(verdict.evidence).toContain("pod does not answer /metrics");
  });

  it("are the synthetic ones alone where the server has no metrics, which is said once", async () => {
    target.measurements = undefined;
    const verdict = await bakeUntil(({ needsMore }) => needsMore !== true);

    expect(verdict).toMatchObject({
      outcome: "pass",
      evidence: expect.stringMatching(/^synthetic: \d+ calls/) as unknown,
    });
    const said = events.filter((event) => event.type === "progress" && event.message.includes("has no metrics"));
    expect(said).toHaveLength(1);
  });

  it("fail by the synthetic ones where the server has no metrics", async () => {
    target.measurements = undefined;
    target.failing.green = true;
    const verdict = await bakeUntil(({ outcome }) => outcome === "fail");

    expect(verdict.evidence).toContain("synthetic calls failed");
  });

  it("name the bound that they are slow above, where the histogram lacks the limit", async () => {
    target.bound = 2.5;
    target.carry(1);
    const verdict = await bakeUntil(
      ({ evidence }) => evidence.includes("slow:"),
      () => {
        target.carry(20);
      },
    );

    expect(verdict.evidence).toContain(
      "live calls above 2500 ms count as slow: the histogram's next bound below 5000 ms",
    );
  });

  it("do not blame live ones for a histogram without a bound as low as the limit", async () => {
    target.bound = 10;
    const verdict = await bakeUntil(
      ({ needsMore }) => needsMore !== true,
      () => {
        target.carry(20);
      },
    );

    expect(verdict).toMatchObject({ outcome: "pass" });
    expect(verdict.evidence).toContain(
      "the histogram has no bound up to 5000 ms: the speed of live calls is not judged",
    );
  });

  it("say before the end how many of them the bake needs", async () => {
    await bakeUntil(() => true);

    expect(events).toContainEqual({
      type: "progress",
      message: expect.stringMatching(
        /^to rule out 3 × the limit \(30 % failed\) the bake needs \d+ calls if none is bad/,
      ) as unknown,
    });
  });
});
