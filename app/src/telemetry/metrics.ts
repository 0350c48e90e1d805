import { collectDefaultMetrics, Histogram, Registry } from "@prometheus-io/client";
import { gauge, type Collector } from "./collector.ts";
import { expose, type Family, type Format } from "./exposition.ts";

/**
 * Seconds. OpenTelemetry's buckets for `mcp.server.operation.duration`, and more around the
 * objectives of releases and autoscalers.
 */
export const BUCKETS = [
  0.005, 0.01, 0.02, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1, 2, 5, 10, 30, 60, 120, 300,
];

type Label = "mcp_method_name" | "gen_ai_tool_name" | "error_type";

/** One JSON-RPC request and its result. */
export interface Operation {
  readonly method: string;
  /** Name of an existing tool, for `tools/call`. */
  readonly tool: string;
  /**
   * Empty for success, the `ErrorDetail.kind` of an error answer, a JSON-RPC code, or `cancelled` if
   * the client did not wait for the answer.
   */
  readonly errorType: string;
  readonly seconds: number;
  /** Trace id of 32 hexadecimal digits, for the exemplar. */
  readonly traceId?: string | undefined;
}

/**
 * The metrics at `/metrics`, with OpenTelemetry's names in Prometheus's spelling.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/gen-ai/mcp/
 */
export class Metrics {
  readonly #registry = new Registry(Registry.OPENMETRICS_CONTENT_TYPE);
  readonly #collectors = new Map<string, Collector>();
  /** The library's type does not separate labels from exemplar labels. */
  readonly #operations: Histogram<Label | "trace_id">;

  constructor({ version, color }: { readonly version: string; readonly color: string }) {
    collectDefaultMetrics({ register: this.#registry });
    this.#operations = new Histogram<Label | "trace_id">({
      name: "mcp_server_operation_duration_seconds",
      help: "Time from a request's arrival at the MCP server to its answer",
      labelNames: ["mcp_method_name", "gen_ai_tool_name", "error_type"],
      buckets: BUCKETS,
      enableExemplars: true,
      registers: [this.#registry],
    });
    this.add(gauge("mcp_build_info", "What runs here; always 1", () => [{ labels: { version, color }, value: 1 }]));
  }

  /** @throws Error when a name is already in use */
  add(...collectors: readonly Collector[]): void {
    for (const collector of collectors) {
      if (this.#collectors.has(collector.name)) throw new Error(`there is a metric named '${collector.name}' already`);
      this.#collectors.set(collector.name, collector);
    }
  }

  observe({ method, tool, errorType, seconds, traceId }: Operation): void {
    this.#operations.observe({
      labels: { mcp_method_name: method, gen_ai_tool_name: tool, error_type: errorType },
      value: seconds,
      ...(traceId === undefined ? {} : { exemplarLabels: { trace_id: traceId } }),
    });
  }

  async text(format: Format): Promise<string> {
    return expose([...(await this.#registry.getMetricsAsJSON()), ...[...this.#collectors.values()].map(read)], format);
  }

  /** Only the added collectors whose names have this prefix. */
  textOf(prefix: string, format: Format): string {
    const wanted = [...this.#collectors.values()].filter(({ name }) => name.startsWith(prefix));
    return expose(wanted.map(read), format);
  }
}

function read({ name, help, type, read: values }: Collector): Family {
  return { name, help, type, values: values() };
}
