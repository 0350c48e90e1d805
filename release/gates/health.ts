import type { Gate } from "./gate.ts";

/**
 * Passes while no pod is critical. A degraded dependency passes and is named: the other color depends on it too, so
 * staying there would not help.
 */
export const health: Gate = {
  name: "health",
  phases: ["verify", "bake"],
  async check({ target, color, signal }) {
    const { pods: reports, unread } = await target.probe.health(color, signal);
    if (reports.length === 0) {
      return { outcome: "inconclusive", evidence: `no pod of ${color} is ready; the report of one decides` };
    }
    const critical = reports.filter(({ status }) => status === "critical");
    const degraded = reports.filter(({ status }) => status === "degraded");
    if (critical.length > 0) return { outcome: "fail", evidence: `critical: ${names(critical)}` };
    if (unread.length > 0) return { outcome: "inconclusive", evidence: unread.join("; ") };
    return {
      outcome: "pass",
      evidence: degraded.length > 0 ? `degraded: ${names(degraded)}` : `${reports.length} pods healthy`,
    };
  },
};

const names = (reports: readonly { readonly pod: string }[]) => reports.map(({ pod }) => pod).join(", ");
