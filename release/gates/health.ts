import type { ColorState } from "../ports/capacity.ts";
import type { PodHealth } from "../ports/probe.ts";
import { readyIn } from "../snapshot.ts";
import type { Gate, Verdict } from "./gate.ts";

/**
 * Passes while no pod is critical. A degraded dependency passes and is named: the other color depends on it too, so
 * staying there would not help. Of a server without a page for it, the readiness of its pods is used.
 */
export const health: Gate = {
  name: "health",
  phases: ["verify", "bake"],
  async check({ target, snapshot, color, signal }) {
    if (target.probe.health === undefined) return byReadiness(snapshot.colors[color]);
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

/** Pods that are not ready yet or no longer are the gate 'rollout's: it has the patience for their start. */
function byReadiness(state: ColorState): Verdict {
  const ready = readyIn(state);
  const evidence = `${ready} pods ready; the server has no page for its health (server.health)`;
  return { outcome: ready > 0 ? "pass" : "inconclusive", evidence };
}

const names = (reports: readonly PodHealth[]) =>
  reports.map(({ pod, why }) => (why === undefined ? pod : `${pod} (${why})`)).join(", ");
