import pino, { type Logger } from "pino";
import type { Config } from "../config.ts";
import { currentTrace } from "./request-trace.ts";

export type { Logger };

/**
 * Bytes of log lines that wait for a slow reader. Further lines are dropped, so that logging never
 * blocks a call.
 */
const MAX_BACKLOG_BYTES = 1024 * 1024;

export interface LogSink {
  readonly logger: Logger;
  /** Writes the waiting lines. */
  readonly flush: () => void;
}

/** JSON lines on stdout, each with the pod's version and color and the trace of its request. */
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
        // The reader is gone.
      }
    },
  };
}

/**
 * @see https://opentelemetry.io/docs/specs/otel/compatibility/logging_trace_context/ for the names
 */
function traced(): object {
  const trace = currentTrace();
  if (trace === undefined) return {};
  const { traceId, spanId } = trace;
  return { trace_id: traceId, ...(spanId === undefined ? {} : { span_id: spanId }) };
}
