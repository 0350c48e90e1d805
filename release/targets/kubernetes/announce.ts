import { LIVE_SERVICE } from "../../../environment/names.ts";
import type { Clock } from "../../ports/clock.ts";
import type { KubeApi } from "./api/kube-api.ts";

const LIVE = { kind: "Service", name: LIVE_SERVICE } as const;

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
    const service = await api.get(LIVE, signal);
    const now = clock
      .date()
      .toISOString()
      .replace(/\.\d+Z$/, "Z");
    const event = {
      apiVersion: "v1",
      kind: "Event",
      metadata: { generateName: `${LIVE_SERVICE}.`, namespace: api.namespace },
      involvedObject: { apiVersion: "v1", ...LIVE, namespace: api.namespace, uid: service?.metadata.uid },
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
