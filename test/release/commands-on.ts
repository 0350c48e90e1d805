import type { Environment } from "../../environments/environment.ts";
import { Commands } from "../../release/commands.ts";
import type { ReleaseEvent } from "../../release/events.ts";
import type { Gate, Outcome } from "../../release/gates/gate.ts";
import { quickEnvironment, type MemoryTarget } from "./memory-target.ts";

export const NEW = { image: "new", version: "2" };

type Phase = "verify" | "bake";

/** Gates that say what they are told to, having asked the target first as real ones do. */
function gate(phase: Phase, says: () => Outcome): Gate {
  return {
    name: `${phase}-gate`,
    phases: [phase],
    async check({ target, color }) {
      await target.health(color);
      return { outcome: says(), evidence: "as told" };
    },
  };
}

export interface Setup {
  readonly verify?: () => Outcome;
  readonly bake?: () => Outcome;
  readonly environment?: Environment;
  readonly signal?: AbortSignal;
  readonly listener?: (event: ReleaseEvent) => void;
}

/** The real commands and engine on a target in memory, with one gate for each phase. */
export function commandsOn(target: MemoryTarget, setup: Setup = {}): Commands {
  const { verify = () => "pass", bake = () => "pass", environment = quickEnvironment() } = setup;
  const { signal = new AbortController().signal, listener = () => undefined } = setup;
  return new Commands({ target, environment, gates: [gate("verify", verify), gate("bake", bake)], signal, listener });
}
