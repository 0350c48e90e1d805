import { z } from "zod";
import type { Server } from "../../environment/schema/server.ts";
import { TargetUnreachable } from "../errors.ts";
import type { PodHealth } from "../ports/probe.ts";

const TIMEOUT_MS = 5000;

const healthSchema = z.object({
  status: z.enum(["healthy", "degraded", "critical"]),
  version: z.string(),
  color: z.string(),
});

/** A page of a pod, by the name or the number of its port, and how to read it. */
export interface PageQuestion<T> {
  readonly port: string | number;
  readonly path: string;
  readonly read: (response: Response, pod: string) => Promise<T>;
}

export const HEALTH: PageQuestion<PodHealth> = {
  port: "admin",
  path: "/health",
  read: async (response, pod) => ({ pod, ...healthSchema.parse(await response.json()) }),
};

/** The metrics in the Prometheus text format, beside the pod's name. */
export const metricsOf = ({ port, path }: NonNullable<Server["metrics"]>): PageQuestion<readonly [string, string]> => ({
  port,
  path,
  async read(response, pod) {
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return [pod, await response.text()];
  },
});

/** @throws TargetUnreachable when the pod did not answer, or nothing that makes sense */
export async function askPage<T>(
  origin: string,
  pod: string,
  { path, read }: PageQuestion<T>,
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
  return (cause instanceof Error ? cause.message : String(cause)).replaceAll(/\s+/g, " ");
}
