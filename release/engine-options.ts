import type { Environment } from "../environment/environment.ts";
import type { Listener } from "./events.ts";
import type { Gate } from "./gates/gate.ts";
import type { Clock } from "./ports/clock.ts";
import type { Authority } from "./ports/records.ts";
import type { Target } from "./ports/target.ts";

/** What a release is driven with. */
export interface EngineOptions {
  readonly target: Target;
  /** The lease, and the fence that every write carries. */
  readonly authority: Authority;
  readonly environment: Environment;
  readonly gates: readonly Gate[];
  readonly listener: Listener;
  /** Aborts when the user interrupts or the lease is lost. The release stays where it is and can be resumed. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
}
