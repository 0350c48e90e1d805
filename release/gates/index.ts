import { calls } from "./calls.ts";
import { capacity } from "./capacity.ts";
import type { Gate } from "./gate.ts";
import { health } from "./health.ts";
import { metrics } from "./metrics.ts";
import { rollout } from "./rollout.ts";
import { smoke } from "./smoke.ts";
import { version } from "./version.ts";

/** Every gate, the cheap ones first: the first failure ends the list. */
export const GATES: readonly Gate[] = [rollout, version, capacity, health, smoke, metrics, calls];
