import type { Gate } from "./gate.ts";

/** Passes if every pod reports the staged version and the color that it was staged on. */
export const version: Gate = {
  name: "version",
  phases: ["verify"],
  async check({ target, color, version, signal }) {
    const { pods: reports, unread } = await target.probe.health(color, signal);
    if (reports.length === 0) {
      return { outcome: "inconclusive", evidence: `no pod of ${color} is ready; the report of one decides` };
    }
    const others = reports.filter((report) => report.version !== version || report.color !== color);
    if (others.length === 0 && unread.length > 0) return { outcome: "inconclusive", evidence: unread.join("; ") };
    return others.length === 0
      ? { outcome: "pass", evidence: `${reports.length} pods run ${version}` }
      : {
          outcome: "fail",
          evidence: others.map((pod) => `${pod.pod} runs ${pod.version} as ${pod.color}, not ${version}`).join(", "),
        };
  },
};
