import { describe, expect, it } from "@jest/globals";
import type { ReleaseEvent } from "../../release/events.ts";
import type { Phase } from "../../release/record.ts";
import { evidenceInWords, shownEvidence, verdictOf } from "../../rehearse/page/evidence.ts";
import { phaseLine, type StepState } from "../../rehearse/page/phase-line.ts";
import { emptyState, takeIn, type PageState } from "../../rehearse/page/state.ts";
import type { Happening } from "../../rehearse/record/recording.ts";

/** The page after these, a second apart. */
function pageAfter(...happenings: readonly (Happening & { at?: number })[]): PageState {
  const state = emptyState();
  for (const [second, happening] of happenings.entries()) takeIn(state, { at: 1000 * (second + 1), ...happening });
  return state;
}

const release = (event: ReleaseEvent): Happening => ({ type: "release", event });

const phase = (name: Phase): Happening =>
  release({ type: "phase", phase: name, from: "blue", to: "green", version: "2.0.0", image: "app.js" });

const moved = (from: "blue" | "green", to: "blue" | "green"): Happening =>
  release({ type: "traffic", from, to, seconds: 0.004 });

type Evidence = Extract<ReleaseEvent, { type: "evidence" }>;

const evidence = (calls: number, bad: number, lower: number, upper: number, more: Partial<Evidence> = {}): Happening =>
  release({
    type: "evidence",
    source: "live",
    objective: "slow",
    calls,
    bad,
    lower,
    upper,
    limit: 0.05,
    ...more,
  });

const fleet = (live: "blue" | "green"): Happening => {
  const colors = { pods: [{ name: "pod", ready: true }] };
  return { type: "fleet", live, colors: { blue: colors, green: colors } };
};

const opening = (acts: Extract<Happening, { type: "opening" }>["acts"]): Happening => ({
  type: "opening",
  quick: true,
  acts,
  gates: [{ name: "calls", phases: ["bake"] }],
  p95LimitMs: 500,
});

const rehearsal = opening([{ number: 1, title: "One", story: "", about: "release" }]);
const watch = opening([]);

describe("the evidence of a bake", () => {
  it("is a point for each check, of live calls where there are any", () => {
    const { evidence: series } = pageAfter(
      phase("bake"),
      evidence(100, 10, 0.02, 0.2),
      evidence(4, 0, 0, 0.6, { source: "synthetic" }),
      evidence(200, 60, 0.2, 0.4),
    );

    const shown = shownEvidence(series, "slow");
    expect(shown).toMatchObject({ source: "live", limit: 0.05 });
    expect(shown?.points).toEqual([
      { calls: 100, bad: 10, share: 0.1, lower: 0.02, upper: 0.2 },
      { calls: 200, bad: 60, share: 0.3, lower: 0.2, upper: 0.4 },
    ]);
    expect(shownEvidence(series, "failed")).toBeUndefined();
  });

  it("is of synthetic calls where there is no traffic, and where they alone are above the limit", () => {
    const synthetic = { source: "synthetic" } as const;
    const quiet = pageAfter(evidence(0, 0, 0, 1), evidence(40, 0, 0, 0.1, synthetic));
    const busy = pageAfter(evidence(500, 1, 0, 0.01), evidence(40, 20, 0.3, 0.7, synthetic));

    expect(shownEvidence(quiet.evidence, "slow")?.source).toBe("synthetic");
    expect(shownEvidence(busy.evidence, "slow")?.source).toBe("synthetic");
  });

  it.each([
    [0.06, 0.2, "above"],
    [0.01, 0.04, "below"],
    [0.01, 0.2, "undecided"],
  ] as const)("with an interval of %d to %d and a limit of 0.05 is %s", (lower, upper, verdict) => {
    const [series] = pageAfter(evidence(100, 5, lower, upper)).evidence;

    expect(series && verdictOf(series)).toBe(verdict);
  });

  it.each([
    [0.0005, 0.0071, "live: 3 of 1,240 calls, true share 0.05 to 0.71 %"],
    [0.00000005, 1, "live: 3 of 1,240 calls, true share 0 to 100 %"],
  ])("with an interval of %d to %d is, in words, '%s'", (lower, upper, words) => {
    const [series] = pageAfter(evidence(1240, 3, lower, upper)).evidence;

    expect(series && evidenceInWords(series)).toBe(words);
  });

  it("loses the points whose calls were set aside, so that its calls always grow", () => {
    const { evidence: series } = pageAfter(
      evidence(100, 0, 0, 0.1),
      evidence(200, 50, 0.2, 0.3),
      evidence(120, 0, 0, 0.08),
    );

    expect(series[0]?.points.map(({ calls }) => calls)).toEqual([100, 120]);
  });

  it("begins anew with each bake and each scenario", () => {
    const first = [phase("bake"), evidence(100, 0, 0, 0.1)];

    expect(pageAfter(...first, phase("bake")).evidence).toEqual([]);
    expect(pageAfter(rehearsal, ...first, { type: "act", act: 1, state: "begins" }).evidence).toEqual([]);
    expect(pageAfter(...first, phase("ended"), phase("verify")).evidence).toEqual([]);
  });
});

describe("the phases of a release", () => {
  const line = (phases: readonly Phase[], result?: string) => {
    const { steps, rollback } = phaseLine({ phases, ...(result !== undefined && { result }) });
    return { steps: Object.values(steps), rollback: `${rollback.state} off ${rollback.from}` };
  };
  const open: StepState = "to come";

  it("are a line with the release on it", () => {
    expect(line(["stage", "verify", "promote", "bake"])).toEqual({
      steps: ["been", "been", "been", "now", open],
      rollback: "not taken off bake",
    });
    expect(line(["stage", "verify", "promote", "bake", "retire", "ended"], "released").steps).toEqual(
      Array<StepState>(5).fill("been"),
    );
  });

  it("have rollback as a branch off the phase that failed, and no retire after it", () => {
    const phases: Phase[] = ["stage", "verify", "promote", "bake", "rollback"];
    const steps = ["been", "been", "been", "stopped", open];

    expect(line(phases)).toEqual({ steps, rollback: "now off bake" });
    expect(line([...phases, "retire", "ended"], "rolled-back")).toEqual({ steps, rollback: "been off bake" });
  });

  it("stop where the release was aborted, although it removes its overrides in retire", () => {
    const phases: Phase[] = ["stage", "verify", "retire"];

    expect(line(phases).steps).toEqual(["been", "stopped", open, open, open]);
    expect(line([...phases, "ended"], "aborted").steps).toEqual(["been", "stopped", open, open, open]);
  });

  it("are passed where the page was opened too late to see them", () => {
    expect(line(["bake"]).steps).toEqual(["been", "been", "been", "now", open]);
    expect(line(["ended"], "rolled-back")).toEqual({
      steps: ["been", "been", "been", "stopped", open],
      rollback: "been off bake",
    });
  });

  it("branch off retire when an operator rolls back a release that has ended", () => {
    const state = pageAfter(
      ...(["stage", "verify", "promote", "bake", "retire", "ended"] as const).map(phase),
      release({ type: "result", result: "released", reason: "" }),
      phase("rollback"),
    );

    expect(state.release?.result).toBeUndefined();
    expect(line(state.release?.phases ?? []).rollback).toBe("now off retire");
  });
});

describe("the switch on the page", () => {
  it("moves with the traffic, and says which way and how fast", () => {
    const promoted = [rehearsal, fleet("blue"), phase("promote"), moved("blue", "green")];

    expect(pageAfter(...promoted)).toMatchObject({
      live: "green",
      move: { kind: "promote", to: "green", seconds: 3, tookMs: 4 },
    });
    expect(pageAfter(...promoted, phase("rollback"), moved("green", "blue"))).toMatchObject({
      live: "blue",
      move: { kind: "rollback", to: "blue", seconds: 5 },
      marks: [{ kind: "promote" }, { kind: "rollback" }],
    });
  });

  it("does not swing back for a look that began before the traffic moved", () => {
    const promoted = [rehearsal, fleet("blue"), phase("promote"), moved("blue", "green")];

    expect(pageAfter(...promoted, { ...fleet("blue"), at: 3999 }).live).toBe("green");
    expect(pageAfter(...promoted, { ...fleet("blue"), at: 4001 }).live).toBe("blue");
  });

  it("moves in a watch when the live color has changed, which no event says there", () => {
    const state = pageAfter(watch, fleet("blue"), phase("bake"), fleet("green"), phase("ended"), fleet("blue"));

    expect(state.move).toEqual({ kind: "rollback", to: "blue", seconds: 5 });
    expect(state.marks.map(({ kind }) => kind)).toEqual(["promote", "rollback"]);
    expect(pageAfter(watch, fleet("green")).move).toBeUndefined();
  });
});

describe("a gate on the page", () => {
  it("keeps the outcomes of its last 24 checks", () => {
    const check = (outcome: "pass" | "fail"): Happening =>
      release({ type: "gate", gate: "calls", phase: "bake", outcome, evidence: "", seconds: 1 });
    const state = pageAfter(rehearsal, ...Array<Happening>(30).fill(check("pass")), check("fail"));

    expect(state.gates[0]).toMatchObject({ checks: 31, outcome: "fail" });
    expect(state.gates[0]?.recent).toHaveLength(24);
    expect(state.gates[0]?.recent.at(-1)).toBe("fail");
  });
});
