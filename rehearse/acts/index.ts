import type { Act } from "./act.ts";
import { goodVersion } from "./good-version.ts";
import { slowVersion } from "./slow-version.ts";
import { weatherOutage } from "./weather-outage.ts";
import { wrongVersion } from "./wrong-version.ts";

/** In their order: each begins with what the one before left live. */
export const ACTS: readonly Act[] = [goodVersion, wrongVersion, slowVersion, weatherOutage];
