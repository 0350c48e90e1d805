import type { Act } from "../acts/act.ts";
import { goodVersion } from "../acts/good-version.ts";
import { slowVersion } from "../acts/slow-version.ts";
import { weatherOutage } from "../acts/weather-outage.ts";
import { wrongVersion } from "../acts/wrong-version.ts";
import type { Environment } from "../../environment/environment.ts";
import type { Skipped } from "../record/result.ts";

/** The scenarios that apply to any server. */
export function ownActs({ release: { smoke } }: Environment): readonly Act[] {
  const change =
    smoke === undefined ? "lists no tools" : `gives answers to ${smoke.tool} with other values than the server's own`;
  return [
    {
      ...goodVersion,
      story: "Your server, again, is staged on green as 1.1.0, passes every gate and takes over. No call fails.",
    },
    {
      ...wrongVersion,
      story: `1.2.0 is your server behind a proxy that changes its answers: it starts, is ready, and ${change}. A real client calls it before any user does.`,
    },
    {
      ...slowVersion,
      story:
        "1.3.0 is your server behind a proxy: it passes every gate, then its answers take longer and longer under live traffic. The bake sees it and moves traffic back.",
    },
  ];
}

/** The scenarios that do not, and why. */
export const SKIPPED: readonly Skipped[] = [
  {
    number: weatherOutage.number,
    title: weatherOutage.title,
    reason: "it breaks the weather API that the bundled app depends on; what your server depends on is not known",
  },
];
