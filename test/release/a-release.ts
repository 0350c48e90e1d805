import type { Environment } from "../../environment/environment.ts";
import type { ReleaseEvent, ReleaseResult } from "../../release/events.ts";
import type { Gate, Outcome } from "../../release/gates/gate.ts";
import type { Clock } from "../../release/ports/clock.ts";
import { runRelease, type Command } from "../../release/run-release.ts";
import { instantClock } from "./instant-clock.ts";
import { quickEnvironment, type MemoryTarget } from "./memory-target.ts";

export const NEW = { image: "new", version: "2" };

type Phase = "verify" | "bake";

/** A gate with the outcome that the test sets. It asks the target first, as real gates do. */
function gate(phase: Phase, outcome: () => Outcome): Gate {
  return {
    name: `${phase}-gate`,
    phases: [phase],
    async check({ target, color }) {
      await target.probe.health?.(color);
      return { outcome: outcome(), evidence: "as told" };
    },
  };
}

export interface Setup {
  readonly verify?: () => Outcome;
  readonly bake?: () => Outcome;
  readonly environment?: Environment;
  readonly signal?: AbortSignal;
  readonly listener?: (event: ReleaseEvent) => void;
  readonly gates?: readonly Gate[];
  readonly clock?: Clock;
}

/** Carries out a command with the real engine on a target in memory, with one gate for each phase. */
export async function carryOut(target: MemoryTarget, command: Command, setup: Setup = {}): Promise<ReleaseResult> {
  const { verify = () => "pass", bake = () => "pass", environment = quickEnvironment(), listener, signal } = setup;
  const { clock = instantClock() } = setup;
  const gates = setup.gates ?? [gate("verify", verify), gate("bake", bake)];
  return await runRelease({ target, command, environment, gates, listener, signal, clock });
}

export const RUN: Command = { do: "run", candidate: NEW };
export const RESUME: Command = { do: "run" };
export const STAGE: Command = { do: "stage", candidate: NEW };
export const ROLLBACK: Command = { do: "rollback" };
