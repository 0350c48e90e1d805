import type { Gate } from "./gate.ts";

/** Passes if every pod reports the staged version and the color that it was staged on. */
export const version: Gate = {
  name: "version",
  phases: ["verify"],
  async check({ target, color, version, signal }) {
    const reports = await target.probe.health(color, signal);
    if (reports.length === 0) return { outcome: "inconclusive", evidence: `no pod of ${color} answered` };
    const others = reports.filter((report) => report.version !== version || report.color !== color);
    return others.length === 0
      ? { outcome: "pass", evidence: `${reports.length} pods run ${version}` }
      : {
          outcome: "fail",
          evidence: others.map((pod) => `${pod.pod} runs ${pod.version} as ${pod.color}, not ${version}`).join(", "),
        };
  },
};
