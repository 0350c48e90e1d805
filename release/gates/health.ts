import type { Gate } from "./gate.ts";

/**
 * Passes while every pod can do its work. A degraded dependency passes, and shows: the other color depends on it too, so staying
 * there would not help anyone.
 */
export const health: Gate = {
  name: "health",
  phases: ["verify", "bake"],
  async check({ target, color }) {
    const reports = await target.health(color);
    if (reports.length === 0) return { outcome: "hold", evidence: `no pod of ${color} answered` };
    const critical = reports.filter(({ status }) => status === "critical");
    const degraded = reports.filter(({ status }) => status === "degraded");
    if (critical.length > 0) return { outcome: "fail", evidence: `critical: ${names(critical)}` };
    return {
      outcome: "pass",
      evidence: degraded.length > 0 ? `degraded: ${names(degraded)}` : `${reports.length} pods healthy`,
    };
  },
};

const names = (reports: readonly { readonly pod: string }[]) => reports.map(({ pod }) => pod).join(", ");
