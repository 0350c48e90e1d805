import { z } from "zod";
import type { Server } from "../../environment/schema/server.ts";
import { TargetUnreachable } from "../errors.ts";
import type { PodHealth, PodVersion } from "../ports/probe.ts";

const TIMEOUT_MS = 5000;

/** Characters; what a pod answers has no bound. */
const MAX_REASON = 300;

type Page = NonNullable<Server["health"]>;

const versionSchema = z.object({ version: z.string().min(1), color: z.string().optional() });

/** What the bundled app says; nobody else is likely to have all three. */
const reportSchema = z.object({
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

/** The bundled app's report says how a pod is; of any other page the HTTP status does: 2xx is healthy. */
export const healthOf = ({ port, path }: Page): PageQuestion<PodHealth> => ({
  port,
  path,
  async read(response, pod) {
    const report = reportSchema.safeParse(parse(await response.text()));
    if (report.success) return { pod, status: report.data.status };
    return response.ok ? { pod, status: "healthy" } : { pod, status: "critical", why: `HTTP ${response.status}` };
  },
});

/** The field `version` of a JSON object, and its `color` if there is one; or a text that is nothing but the version. */
export const versionOf = ({ port, path }: Page): PageQuestion<PodVersion> => ({
  port,
  path,
  async read(response, pod) {
    const text = await response.text();
    const report = versionSchema.safeParse(parse(text));
    // The bundled app answers 503 while it is critical, and names its version then too.
    if (report.success) return { pod, ...report.data };
    const version = text.trim();
    if (!response.ok || !/^\S{1,128}$/.test(version)) throw new Error(`HTTP ${response.status}, no version`);
    return { pod, version };
  },
});

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

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Why a request failed, in one line: `fetch` keeps that in the cause of its error. */
export function reason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return (cause instanceof Error ? cause.message : String(cause)).replaceAll(/\s+/g, " ").slice(0, MAX_REASON);
}
