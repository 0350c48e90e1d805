import type { Capacity } from "./capacity.ts";
import type { Measurements } from "./measurements.ts";
import type { Migrations } from "./migrations.ts";
import type { Probe } from "./probe.ts";
import type { Records } from "./records.ts";
import type { Staging } from "./staging.ts";
import type { Traffic } from "./traffic.ts";

/** Where a release runs. Each port can be replaced on its own. */
export interface Target {
  /** What a release acts on and as whom, one line each, such as `cluster https://…` and `identity …`. */
  readonly description: readonly string[];
  readonly traffic: Traffic;
  readonly capacity: Capacity;
  readonly staging: Staging;
  readonly records: Records;
  readonly probe: Probe;

  /** @default - the environment has no migration */
  readonly migrations?: Migrations | undefined;

  /** @default - the server has no metrics */
  readonly measurements?: Measurements;

  /** Tells people who watch the target about a phase, such as a Kubernetes Event. Never throws. @default nothing */
  announce?(phase: string, message: string, signal?: AbortSignal): Promise<void>;

  close(): Promise<void>;
}
