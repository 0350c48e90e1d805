import {
  isJSONRPCErrorResponse,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  McpServer,
} from "@modelcontextprotocol/server";
import type { JSONRPCMessage, Transport } from "@modelcontextprotocol/server";
import type { Operation } from "../telemetry/metrics.ts";
import { errorKind } from "../tools/call-tool.ts";

export interface Observer {
  /** Names that may become labels: what a client makes up must not. */
  readonly tools: ReadonlySet<string>;
  readonly methods: ReadonlySet<string>;
  observe(operation: Operation): void;
}

/**
 * An MCP server that reports each request it answers. It watches the messages themselves, so that both protocol eras, and errors
 * that no handler sees, count alike.
 */
export class ObservedServer extends McpServer {
  readonly #observer: Observer;

  constructor(observer: Observer, ...args: ConstructorParameters<typeof McpServer>) {
    super(...args);
    this.#observer = observer;
  }

  override async connect(transport: Transport): Promise<void> {
    await super.connect(transport);
    const begun = new Map<unknown, Omit<Operation, "errorType" | "seconds"> & { readonly at: number }>();

    const deliver = transport.onmessage?.bind(transport);
    transport.onmessage = (message, extra) => {
      if (isJSONRPCRequest(message)) begun.set(message.id, { ...this.#labels(message), at: performance.now() });
      deliver?.(message, extra);
    };

    const send = transport.send.bind(transport);
    transport.send = (message, options) => {
      if (isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message)) {
        const request = begun.get(message.id);
        begun.delete(message.id);
        if (request !== undefined) {
          const { at, ...labels } = request;
          this.#observer.observe({
            ...labels,
            errorType: errorType(message),
            seconds: (performance.now() - at) / 1000,
          });
        }
      }
      return send(message, options);
    };
  }

  #labels({ method, params }: { method: string; params?: unknown }): Pick<Operation, "method" | "tool"> {
    const tool =
      method === "tools/call" && typeof params === "object" && params !== null && "name" in params
        ? String(params.name)
        : "";
    return {
      method: this.#observer.methods.has(method) ? method : "unknown",
      tool: this.#observer.tools.has(tool) ? tool : "",
    };
  }
}

function errorType(message: JSONRPCMessage): string {
  if ("error" in message) return String(message.error.code);
  return "result" in message ? errorKind(message.result) : "";
}
