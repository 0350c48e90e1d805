import type { Environment } from "../environments/environment.ts";
import type { Listener } from "./events.ts";
import type { Gate } from "./gates/gate.ts";
import type { Target } from "./target.ts";

/** What a release is driven with: where, by which rules, who listens, and who may interrupt it. */
export interface EngineOptions {
  readonly target: Target;
  readonly environment: Environment;
  readonly gates: readonly Gate[];
  readonly listener: Listener;
  /** Aborts when the user or the lease says stop; the release stays where it is, to be resumed. */
  readonly signal: AbortSignal;
}
