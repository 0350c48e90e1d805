/**
 * The trace context of a client.
 *
 * @see https://www.w3.org/TR/trace-context/
 */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** Whether the client keeps this trace. */
  readonly sampled: boolean;
  /** Data of other tracing systems. */
  readonly tracestate: string | undefined;
}

/** Versions above 00 may have more fields. */
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Some tracing systems need a few hundred characters; the specification requires 512. */
const MAX_TRACESTATE = 4096;

/** Reads a trace context. An invalid `traceparent` is ignored. */
export function readTraceContext(traceparent: unknown, tracestate: unknown): TraceContext | undefined {
  if (typeof traceparent !== "string" || traceparent.length > 256) return undefined;
  const [, version, traceId, spanId, flags = "", more] = TRACEPARENT.exec(traceparent) ?? [];
  if (traceId === undefined || spanId === undefined || (version === "00" && more !== undefined)) return undefined;
  return {
    traceId,
    spanId,
    sampled: (Number.parseInt(flags, 16) & 1) === 1,
    tracestate: typeof tracestate === "string" && tracestate.length <= MAX_TRACESTATE ? tracestate : undefined,
  };
}

export function traceparent({ traceId, spanId, sampled }: Omit<TraceContext, "tracestate">): string {
  return `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`;
}
