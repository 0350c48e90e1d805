import {
  isJSONRPCErrorResponse,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  McpServer,
} from "@modelcontextprotocol/server";
import type { JSONRPCMessage, JSONRPCRequest, Transport } from "@modelcontextprotocol/server";
import type { Operation } from "../telemetry/metrics.ts";
import { inTrace, type Ending, type RequestTrace, type Tracing } from "../telemetry/request-trace.ts";
import { readTraceContext } from "../telemetry/trace-context.ts";
import { errorKind } from "../tools/call-tool.ts";
import { PEER } from "./exchange.ts";

export interface Observer {
  /** Names that may be label values. Names from clients may not. */
  readonly tools: ReadonlySet<string>;
  readonly methods: ReadonlySet<string>;
  observe(operation: Operation): void;
  readonly begin: Tracing["begin"];
}

/** Error type of a request whose client went away before the answer. Its duration ends there. */
const CANCELLED = "cancelled";

type Labels = Pick<Operation, "method" | "tool">;

interface Begun extends Labels {
  /** Milliseconds. */
  readonly at: number;
  readonly trace: RequestTrace | undefined;
}

/**
 * An MCP server that measures each request. It reads the messages, so that both protocol versions
 * and errors of the SDK are counted.
 */
export class ObservedServer extends McpServer {
  readonly #observer: Observer;

  constructor(observer: Observer, ...args: ConstructorParameters<typeof McpServer>) {
    super(...args);
    this.#observer = observer;
  }

  override async connect(transport: Transport): Promise<void> {
    await super.connect(transport);
    const begun = new Map<unknown, Begun>();

    const deliver = transport.onmessage?.bind(transport);
    transport.onmessage = (message, extra) => {
      const trace = isJSONRPCRequest(message) ? this.#begin(message, extra?.request, begun) : undefined;
      if (trace === undefined) deliver?.(message, extra);
      else inTrace(trace, () => deliver?.(message, extra));
    };

    const send = transport.send.bind(transport);
    transport.send = (message, options) => {
      if (isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message)) {
        const request = begun.get(message.id);
        begun.delete(message.id);
        if (request !== undefined) this.#end(request, endingOf(message));
      }
      return send(message, options);
    };

    const closed = transport.onclose?.bind(transport);
    transport.onclose = () => {
      for (const request of begun.values()) this.#end(request, { errorType: CANCELLED });
      begun.clear();
      closed?.();
    };
  }

  #begin(message: JSONRPCRequest, http: Request | undefined, begun: Map<unknown, Begun>): RequestTrace | undefined {
    const labels = this.#labels(message);
    const { uri, _meta: meta } = message.params ?? {};
    const trace = this.#observer.begin({
      ...labels,
      id: message.id,
      uri: message.method === "resources/read" && typeof uri === "string" ? uri : undefined,
      protocolVersion: http?.headers.get("mcp-protocol-version") ?? undefined,
      client: http?.headers.get(PEER) ?? undefined,
      message: readTraceContext(meta?.traceparent, meta?.tracestate),
      http: readTraceContext(http?.headers.get("traceparent"), http?.headers.get("tracestate")),
    });
    begun.set(message.id, { ...labels, at: performance.now(), trace });
    return trace;
  }

  #end({ method, tool, at, trace }: Begun, ending: Ending): void {
    const seconds = (performance.now() - at) / 1000;
    const traceId = trace?.sampled === true ? trace.traceId : undefined;
    this.#observer.observe({ method, tool, errorType: ending.errorType, seconds, traceId });
    trace?.end(ending);
  }

  #labels({ method, params }: JSONRPCRequest): Labels {
    const tool = method === "tools/call" && params !== undefined && "name" in params ? String(params.name) : "";
    return {
      method: this.#observer.methods.has(method) ? method : "unknown",
      tool: this.#observer.tools.has(tool) ? tool : "",
    };
  }
}

function endingOf(message: JSONRPCMessage): Ending {
  if ("error" in message) {
    const { code, message: said } = message.error;
    return { errorType: String(code), code, message: said };
  }
  return { errorType: "result" in message ? errorKind(message.result) : "" };
}
