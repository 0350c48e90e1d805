import { imageRules } from "./image.ts";
import { migrationRules } from "./migration.ts";
import { podRules } from "./pod.ts";
import { resourceRules } from "./resources.ts";
import { networkRules } from "./network.ts";
import type { Rule } from "./rule.ts";
import { releaseRules } from "./release.ts";
import { scalingRules } from "./scaling.ts";
import { serverRules } from "./server.ts";
import { settingsRules } from "./settings.ts";

/** All rules across fields. */
export const RULES: readonly Rule[] = [
  ...imageRules,
  ...settingsRules,
  ...serverRules,
  ...scalingRules,
  ...resourceRules,
  ...podRules,
  ...networkRules,
  ...releaseRules,
  ...migrationRules,
];
