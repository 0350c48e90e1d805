import type { Clock } from "../../ports/clock.ts";
import type { KubeApi } from "./api/kube-api.ts";

/** The API server refuses a longer message. */
const MAX_MESSAGE = 1024;

/**
 * Tells about a phase with an Event of the live Service, which `kubectl describe service` shows. Its reason is the phase.
 *
 * Never throws: a release does not depend on it.
 */
export async function announce(
  api: KubeApi,
  clock: Clock,
  phase: string,
  message: string,
  signal?: AbortSignal,
): Promise<void> {
  try {
    const live = { kind: "Service", name: api.names.live } as const;
    const service = await api.get(live, signal);
    const now = clock
      .date()
      .toISOString()
      .replace(/\.\d+Z$/, "Z");
    const event = {
      apiVersion: "v1",
      kind: "Event",
      metadata: { generateName: `${live.name}.`, namespace: api.namespace },
      involvedObject: { apiVersion: "v1", ...live, namespace: api.namespace, uid: service?.metadata.uid },
      type: phase === "rollback" ? "Warning" : "Normal",
      reason: phase.charAt(0).toUpperCase() + phase.slice(1),
      message: message.slice(0, MAX_MESSAGE),
      source: { component: "mcp-bluegreen" },
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
    };
    await api.create("Event", event, signal);
  } catch {
    // The record on the Lease says the same.
  }
}
