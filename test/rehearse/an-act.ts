import type { Phase } from "../../release/record.ts";
import type { Recording } from "../../rehearse/record/recording.ts";

/** An answer as gates cite it: nowhere to break a line. */
const UNBROKEN = `{"temperatureCelsius":63.7,"city":"Berlin","country":"Germany"}`.repeat(6);

const BEGIN = Date.parse("2026-01-01T00:00:00Z");

/**
 * Records the middle of a release: gates have spoken, traffic has moved to green, and it bakes.
 *
 * @returns the time of the last moment
 */
export function playAnAct(recording: Recording): number {
  let at = BEGIN;
  const next = (ms: number) => (at += ms);
  const title = "A good version";
  const story = "A version that does as it should.";
  recording.add(
    {
      type: "opening",
      quick: true,
      acts: [{ number: 1, title, story, about: "release" }],
      gates: [
        { name: "rollout", phases: ["verify", "bake"] },
        { name: "smoke", phases: ["verify"] },
        { name: "bake", phases: ["bake"] },
      ],
      p95LimitMs: 300,
    },
    at,
  );
  const pods = ["a", "b"].map((name) => ({ name, ready: true }));
  recording.add(
    { type: "fleet", live: "blue", colors: { blue: { version: "1.0.0", pods }, green: { pods: [] } } },
    next(100),
  );
  recording.add({ type: "act", act: 1, state: "begins" }, next(100));
  traffic(recording, next(250), "blue");
  phase(recording, next(500), "stage");
  recording.add(
    { type: "fleet", live: "blue", colors: { blue: { version: "1.0.0", pods }, green: { version: "1.1.0", pods } } },
    next(100),
  );
  phase(recording, next(100), "verify");
  gate(recording, next(100), "rollout", "pass", "2 pods ready, none restarted");
  gate(recording, next(100), "smoke", "fail", "expected 17.6");
  phase(recording, next(300), "promote");
  recording.add({ type: "release", event: { type: "traffic", from: "blue", to: "green", seconds: 0.002 } }, next(10));
  recording.add(
    { type: "fleet", live: "green", colors: { blue: { version: "1.0.0", pods }, green: { version: "1.1.0", pods } } },
    next(10),
  );
  phase(recording, next(10), "bake");
  for (let window = 0; window < 7; window++) traffic(recording, next(250), "green");
  evidence(recording, next(10), { calls: 150, bad: 2 }, [0.001, 0.08]);
  evidence(recording, next(1000), { calls: 400, bad: 3 }, [0.001, 0.03]);
  return at;
}

/**
 * Goes on from there: the bake sees slow calls, and the traffic moves back to blue.
 *
 * @param since the time of the last moment
 */
export function rollBack(recording: Recording, since: number): void {
  let at = since;
  const next = (ms: number) => (at += ms);
  evidence(recording, next(1000), { calls: 600, bad: 130 }, [0.16, 0.28]);
  gate(recording, next(10), "bake", "pass", "400 calls", "bake");
  gate(recording, next(10), "bake", "fail", "130 of 600 live calls slow", "bake");
  phase(recording, next(10), "rollback");
  recording.add({ type: "release", event: { type: "traffic", from: "green", to: "blue", seconds: 0.003 } }, next(10));
  for (let window = 0; window < 4; window++) traffic(recording, next(250), "blue");
  phase(recording, next(10), "retire");
  recording.add(
    { type: "release", event: { type: "result", result: "rolled-back", reason: `too slow: ${UNBROKEN}` } },
    next(10),
  );
}

function evidence(
  recording: Recording,
  at: number,
  counts: { readonly calls: number; readonly bad: number },
  [lower, upper]: readonly [number, number],
): void {
  const common = { type: "evidence", source: "live" } as const;
  const slow = { ...common, objective: "slow", ...counts, lower, upper, limit: 0.05 } as const;
  const failed = { ...common, objective: "failed", ...counts, bad: 0, lower: 0, upper: 0.02, limit: 0.01 } as const;
  for (const event of [failed, slow]) recording.add({ type: "release", event }, at);
}

function phase(recording: Recording, at: number, phase: Phase): void {
  const event = { type: "phase", phase, from: "blue", to: "green", version: "1.1.0", image: "app.js" } as const;
  recording.add({ type: "release", event }, at);
}

function gate(
  recording: Recording,
  at: number,
  gate: string,
  outcome: "pass" | "fail",
  evidence: string,
  phase: "verify" | "bake" = "verify",
): void {
  recording.add({ type: "release", event: { type: "gate", gate, phase, outcome, evidence, seconds: 0.1 } }, at);
}

function traffic(recording: Recording, at: number, color: "blue" | "green"): void {
  const silent = { calls: 0, failures: 0, sources: {}, p95Ms: null };
  const busy = { calls: 50, failures: 0, sources: { live: 50 }, p95Ms: 12 };
  const colors = { blue: silent, green: silent, [color]: busy };
  recording.add(
    { type: "traffic", sample: { seconds: 0.25, colors, sources: { live: 50 }, failures: 0, unanswered: 3 } },
    at,
  );
}
