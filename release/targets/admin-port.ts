import { z } from "zod";
import { TargetUnreachable } from "../errors.ts";
import type { PodHealth } from "../ports/probe.ts";

const TIMEOUT_MS = 5000;

/** Characters; what a pod answers has no bound. */
const MAX_REASON = 300;

const healthSchema = z.object({
  status: z.enum(["healthy", "degraded", "critical"]),
  version: z.string(),
  color: z.string(),
});

/** What can be asked at the admin port of a pod, wherever that is reached. */
export interface AdminQuestion<T> {
  readonly path: string;
  readonly read: (response: Response, pod: string) => Promise<T>;
}

export const HEALTH: AdminQuestion<PodHealth> = {
  path: "/health",
  read: async (response, pod) => ({ pod, ...healthSchema.parse(await response.json()) }),
};

/** The metrics in the Prometheus text format, beside the pod's name. */
export const METRICS: AdminQuestion<readonly [string, string]> = {
  path: "/metrics",
  read: async (response, pod) => [pod, await response.text()],
};

/** @throws TargetUnreachable when the pod did not answer, or nothing that makes sense */
export async function askAdminPort<T>(
  origin: string,
  pod: string,
  { path, read }: AdminQuestion<T>,
  signal?: AbortSignal,
): Promise<T> {
  const deadline = AbortSignal.timeout(TIMEOUT_MS);
  const ends = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
  try {
    return await read(await fetch(`${origin}${path}`, { signal: ends }), pod);
  } catch (error) {
    signal?.throwIfAborted();
    throw new TargetUnreachable(`${pod}${path} did not answer: ${reason(error)}`);
  }
}

/** Why a request failed, in one line: `fetch` keeps that in the cause of its error. */
export function reason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return (cause instanceof Error ? cause.message : String(cause)).replaceAll(/\s+/g, " ").slice(0, MAX_REASON);
}
