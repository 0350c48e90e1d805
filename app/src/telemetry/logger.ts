import pino, { type Logger } from "pino";
import type { Config } from "../config.ts";
import { currentTrace } from "./request-trace.ts";

export type { Logger };

/** Bytes of log lines that may wait for a slow reader; beyond it lines are dropped, since a log must never hold up a call. */
const MAX_BACKLOG_BYTES = 1024 * 1024;

export interface LogSink {
  readonly logger: Logger;
  /** Writes out what still waits. */
  readonly flush: () => void;
}

/** JSON lines on stdout, each with the pod's version and color, and with the trace of the request that it was written for. */
export function createLogger({ logLevel, version, color }: Pick<Config, "logLevel" | "version" | "color">): LogSink {
  const destination = pino.destination({ dest: 1, sync: false, maxLength: MAX_BACKLOG_BYTES });
  const logger = pino(
    { level: logLevel, base: { version, color }, timestamp: pino.stdTimeFunctions.isoTime, mixin: traced },
    destination,
  );
  return {
    logger,
    flush: () => {
      try {
        destination.flushSync();
      } catch {
        // Nobody reads the other end any more.
      }
    },
  };
}

/** @see https://opentelemetry.io/docs/specs/otel/compatibility/logging_trace_context/ for the names */
function traced(): object {
  const trace = currentTrace();
  if (trace === undefined) return {};
  const { traceId, spanId } = trace;
  return { trace_id: traceId, ...(spanId === undefined ? {} : { span_id: spanId }) };
}
