import type { Step } from "../step.ts";
import { ownRepository } from "./own-repository.ts";
import { PYTHON_STEPS } from "./python-server.ts";

/** Other programs on the same cluster, deployed and released as their teams would do it. Each step removes what it made. */
export const NEIGHBOR_STEPS: readonly Step[] = [ownRepository, ...PYTHON_STEPS];
