import { AsyncLocalStorage } from "node:async_hooks";
import type { Trace } from "../resilience/trace.ts";
import type { TraceContext } from "./trace-context.ts";

/** Result of a request. */
export interface Ending {
  /** As in the metrics; empty for success. */
  readonly errorType: string;
  readonly code?: number;
  readonly message?: string;
}

export interface RequestTrace {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits; absent if this app keeps no traces. */
  readonly spanId?: string;
  readonly sampled: boolean;
  /** Records decisions of policies; absent if the trace is not kept. */
  readonly decisions?: Trace;
  end(ending: Ending): void;
}

export interface TracedRequest {
  readonly id: string | number;
  /** Known names only. */
  readonly method: string;
  readonly tool: string;
  /** Of `resources/read`. */
  readonly uri?: string | undefined;
  readonly protocolVersion?: string | undefined;
  /** Address of the client's end of the connection. */
  readonly client?: string | undefined;
  /** Trace context in the message. */
  readonly message: TraceContext | undefined;
  /** Trace context in the HTTP headers. */
  readonly http: TraceContext | undefined;
}

export interface Tracing {
  begin(request: TracedRequest): RequestTrace | undefined;
  /** Sends the remaining spans, within a few seconds. */
  close(): Promise<void>;
}

/** Keeps no traces. A client's trace id is still in logs and exemplars. */
export const NO_TRACING: Tracing = {
  begin({ message, http }) {
    const parent = message ?? http;
    return parent && { traceId: parent.traceId, sampled: parent.sampled, end: () => undefined };
  },
  close: () => Promise.resolve(),
};

const current = new AsyncLocalStorage<RequestTrace>();

export function currentTrace(): RequestTrace | undefined {
  return current.getStore();
}

/** Runs a function as part of a request, with its later callbacks. */
export function inTrace<T>(trace: RequestTrace, run: () => T): T {
  return current.run(trace, run);
}

/** Runs a function that belongs to no request. */
export function outsideTraces<T>(run: () => T): T {
  return current.exit(run);
}
