import { AsyncLocalStorage } from "node:async_hooks";
import type { Trace } from "../resilience/trace.ts";
import type { TraceContext } from "./trace-context.ts";

/** How a request ended. */
export interface Ending {
  /** As the metrics say it; nothing for success. */
  readonly errorType: string;
  /** Of a JSON-RPC error. */
  readonly code?: number;
  readonly message?: string;
}

/** One MCP request on its way through the app. */
export interface RequestTrace {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits; absent where this app keeps no traces. */
  readonly spanId?: string;
  /** Whether anybody keeps this trace, so that it can be looked up. */
  readonly sampled: boolean;
  /** What policies write to; absent where nobody would read it. */
  readonly decisions?: Trace;
  end(ending: Ending): void;
}

/** An MCP request as it arrives. */
export interface TracedRequest {
  readonly id: string | number;
  /** Only names that the app knows. */
  readonly method: string;
  readonly tool: string;
  /** Of `resources/read`. */
  readonly uri?: string | undefined;
  readonly protocolVersion?: string | undefined;
  /** Address of the connection's other end. */
  readonly client?: string | undefined;
  /** What the request itself says it is part of. */
  readonly message: TraceContext | undefined;
  /** What the HTTP request around it says. */
  readonly http: TraceContext | undefined;
}

/** Follows requests, or not. */
export interface Tracing {
  begin(request: TracedRequest): RequestTrace | undefined;
  /** Sends what is left, as far as it can be done in a few seconds. */
  close(): Promise<void>;
}

/** Keeps no traces; a client's own trace still shows in logs and exemplars. */
export const NO_TRACING: Tracing = {
  begin({ message, http }) {
    const parent = message ?? http;
    return parent && { traceId: parent.traceId, sampled: parent.sampled, end: () => undefined };
  },
  close: () => Promise.resolve(),
};

const current = new AsyncLocalStorage<RequestTrace>();

/** The request that this code runs for. */
export function currentTrace(): RequestTrace | undefined {
  return current.getStore();
}

/** Runs something for a request, with all that comes of it later. */
export function inTrace<T>(trace: RequestTrace, run: () => T): T {
  return current.run(trace, run);
}

/** Runs something that serves many requests and belongs to none. */
export function outsideTraces<T>(run: () => T): T {
  return current.exit(run);
}
