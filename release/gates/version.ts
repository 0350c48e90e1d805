import type { Gate } from "./gate.ts";

/** Passes when every pod says that it runs the version that was staged, in the color it was staged on. */
export const version: Gate = {
  name: "version",
  phases: ["verify"],
  async check({ target, color, version }) {
    const reports = await target.health(color);
    if (reports.length === 0) return { outcome: "hold", evidence: `no pod of ${color} answered` };
    const others = reports.filter((report) => report.version !== version || report.color !== color);
    return others.length === 0
      ? { outcome: "pass", evidence: `${reports.length} pods run ${version}` }
      : {
          outcome: "fail",
          evidence: others.map((pod) => `${pod.pod} runs ${pod.version} as ${pod.color}, not ${version}`).join(", "),
        };
  },
};
