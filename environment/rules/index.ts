import { capacityRules } from "./capacity.ts";
import { pinned } from "./image.ts";
import type { Rule } from "./rule.ts";
import { serverRules } from "./server.ts";
import { settingsRules } from "./settings.ts";

/** All rules across fields. */
export const RULES: readonly Rule[] = [pinned, ...settingsRules, ...serverRules, ...capacityRules];
