import type { Recording } from "../../rehearse/record/recording.ts";

const BEGIN = Date.parse("2026-01-01T00:00:00Z");

/** Records the middle of a release: gates have spoken, traffic has moved to green, and it bakes. */
export function playAnAct(recording: Recording): void {
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
}

function phase(recording: Recording, at: number, phase: "stage" | "verify" | "promote" | "bake"): void {
  const event = { type: "phase", phase, from: "blue", to: "green", version: "1.1.0", image: "app.js" } as const;
  recording.add({ type: "release", event }, at);
}

function gate(recording: Recording, at: number, gate: string, outcome: "pass" | "fail", evidence: string): void {
  recording.add(
    { type: "release", event: { type: "gate", gate, phase: "verify", outcome, evidence, seconds: 0.1 } },
    at,
  );
}

function traffic(recording: Recording, at: number, color: "blue" | "green"): void {
  const silent = { calls: 0, failures: 0, sources: {}, p95Ms: null };
  const busy = { calls: 50, failures: 0, sources: { live: 50 }, p95Ms: 12 };
  const colors = { blue: silent, green: silent, [color]: busy };
  recording.add({ type: "traffic", sample: { seconds: 0.25, colors, sources: { live: 50 }, failures: 0 } }, at);
}
