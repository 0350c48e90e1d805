import type { Step } from "../step.ts";
import { evicted } from "./evicted.ts";
import { grownLoad } from "./grown-load.ts";
import { scaleUpHeldBack } from "./scale-up-held-back.ts";
import { standbyAtZero } from "./standby-at-zero.ts";

/**
 * What happens to pods every day. Each step leaves a deployed environment without a release in progress.
 *
 * The last one ends pods under load. For two minutes after that, a node may send a new connection that reuses a port to one
 * of them.
 */
export const POD_STEPS: readonly Step[] = [evicted, scaleUpHeldBack, standbyAtZero, grownLoad];
