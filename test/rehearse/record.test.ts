import { describe, expect, it } from "@jest/globals";
import { differences } from "../../rehearse/acts/expected-release.ts";
import { breakersIn } from "../../rehearse/fleet-watch.ts";
import { htmlReport } from "../../rehearse/page/report.ts";
import { Recording, type Moment } from "../../rehearse/record/recording.ts";
import type { RehearsalResult, ReleaseRun } from "../../rehearse/record/result.ts";
import { SwitchTimer } from "../../rehearse/record/switch.ts";
import { Tally } from "../../rehearse/record/tally.ts";
import type { ColorSample, TrafficSample } from "../../rehearse/traffic/sample.ts";

const silent: ColorSample = { calls: 0, failures: 0, latencies: [], sources: {}, versions: {} };

const sample = (part: Partial<TrafficSample>): TrafficSample => ({
  at: 1000,
  seconds: 0.25,
  colors: { blue: silent, green: silent },
  callers: {},
  failures: {},
  pulses: [],
  dropped: 0,
  unanswered: 0,
  ...part,
});

describe("a tally", () => {
  it("adds windows up by color, version, source and caller, and takes percentiles over all of them", () => {
    const tally = new Tally();
    for (const ms of [1, 2, 100]) {
      const blue = { calls: 1, failures: 0, latencies: [ms * 1000], sources: { live: 1 }, versions: { "1.0.0": 1 } };
      tally.add(sample({ colors: { blue, green: silent }, callers: { "kept modern": 1 } }));
    }

    const { calls, byColor, byVersion, bySource, failures, latencyMs } = tally.calls();
    expect({ calls, byColor, byVersion, bySource, failures }).toEqual({
      calls: 3,
      byColor: { blue: 3 },
      byVersion: { "1.0.0": 3 },
      bySource: { live: 3 },
      failures: {},
    });
    expect(latencyMs.p50).toBeCloseTo(2, 1);
    expect(latencyMs.p95).toBeCloseTo(100, 0);
  });

  it("counts failures that no color answered", () => {
    const tally = new Tally();
    tally.add(sample({ callers: { "fresh legacy": 2 }, failures: { connection: 2 } }));

    expect(tally.calls()).toMatchObject({ calls: 2, failures: { connection: 2 }, byColor: {} });
  });
});

describe("a switch", () => {
  const promote = { kind: "promote", from: "blue", to: "green", sentAt: 1000, changeMs: 2 } as const;
  const pulse = (color: "blue" | "green", openedAt: number, answeredAt: number) => ({ color, openedAt, answeredAt });

  it("is timed to the last answer of the old color on a connection opened after it was sent", () => {
    const timer = new SwitchTimer();
    timer.addMove(promote);
    timer.addPulses([
      pulse("blue", 990, 1500),
      pulse("blue", 1001, 1012),
      pulse("green", 1020, 1026),
      pulse("green", 1040, 1044),
    ]);

    expect(timer.take()).toEqual([{ ...promote, lastOldAnswerMs: 12, firstNewAnswerMs: 26 }]);
  });

  it("took no time when the old color got no new connection", () => {
    const timer = new SwitchTimer();
    timer.addMove(promote);
    timer.addPulses([pulse("green", 1003, 1008)]);

    expect(timer.take()).toMatchObject([{ lastOldAnswerMs: 0, firstNewAnswerMs: 8 }]);
  });

  it("ends where the next one begins: a rollback brings the old color back, and that is no late answer", () => {
    const timer = new SwitchTimer();
    timer.addMove(promote);
    timer.addMove({ ...promote, kind: "rollback", from: "green", to: "blue", sentAt: 9000 });
    timer.addPulses([pulse("green", 1010, 1015), pulse("green", 9001, 9007), pulse("blue", 9020, 9025)]);

    expect(timer.take().map(({ lastOldAnswerMs }) => lastOldAnswerMs)).toEqual([0, 7]);
  });
});

describe("an act's release", () => {
  const refusal = { gate: "smoke", phase: "verify", outcome: "fail", evidence: "wrong", looks: 1, seconds: 1 } as const;
  const run: ReleaseRun = {
    version: "1.2.0",
    exitCode: 1,
    result: "aborted",
    reason: "smoke: wrong",
    seconds: 3,
    gates: [refusal],
  };
  const expected = { exitCode: 1, result: "aborted", failing: { gate: "smoke", phase: "verify" } } as const;

  it("is as it must be when the right gate refused", () => {
    expect(differences(run, expected)).toEqual([]);
  });

  it("is not when another gate refused, and says which", () => {
    const gates = [{ ...refusal, gate: "rollout", evidence: "not ready" }];

    expect(differences({ ...run, gates }, expected)).toEqual([
      "the gate 'smoke' had to say no in verify, and did not",
      "the gate 'rollout' said no in verify: not ready",
    ]);
  });

  it("is not when it ended otherwise, and says why it did", () => {
    expect(differences(run, { exitCode: 0, result: "done" })[0]).toMatch(
      /had to end as 'done' with exit code 0, but was 'aborted' with 1: smoke: wrong/,
    );
  });
});

describe("the breaker around the weather API in a pod", () => {
  it("is read from its metrics, where it stands among others", () => {
    const metrics = [
      "# TYPE mcp_breaker_state gauge",
      'mcp_breaker_state{breaker="database"} 0',
      'mcp_breaker_state{breaker="weather_api"} 2',
      'mcp_other{breaker="weather_api"} 1',
      "",
    ];

    expect(breakersIn(metrics.join("\n"))).toEqual(["open"]);
  });
});

describe("a recording", () => {
  it("tells followers what comes, until they leave", () => {
    const recording = new Recording();
    const heard: Moment[] = [];
    recording.add({ type: "weather", mood: { mode: "broken" } }, 1);
    const leave = recording.follow((moment) => heard.push(moment));
    recording.add({ type: "weather", mood: { mode: "normal" } }, 2);
    leave();
    recording.add({ type: "weather", mood: { mode: "broken" } }, 3);

    expect(heard).toEqual([{ at: 2, type: "weather", mood: { mode: "normal" } }]);
    expect(recording.moments).toHaveLength(3);
  });
});

describe("the report", () => {
  const { latencyMs, ...calls } = new Tally().calls();
  const result: RehearsalResult = {
    ok: false,
    problems: ["act 1: <script>alert(1)</script>"],
    quick: true,
    startedAt: "2026-01-01T00:00:00.000Z",
    seconds: 30,
    machine: { node: "v24", platform: "linux x64", cpu: "one", cores: 2, memoryGiB: 8 },
    totals: { ...calls, latencyMs },
    acts: [],
    skipped: [],
  };

  it("is one file that loads nothing, and whatever a server said is text in it", async () => {
    const evil = {
      type: "failed",
      at: 1,
      call: { at: 1, failure: "protocol", caller: "x", message: "</script><b>" },
    } as const;
    const html = await htmlReport(result, [evil]);

    expect(html).not.toMatch(/(src|href)="(?!data:)/);
    expect(html).not.toContain("</script><b>");
    expect(html).not.toContain("<script>alert");
    expect(html).toContain("&#60;script&#62;alert(1)");
  });
});
