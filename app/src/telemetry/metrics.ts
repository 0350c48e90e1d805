import { collectDefaultMetrics, Histogram, Registry } from "@prometheus-io/client";
import { gauge, type Collector } from "./collector.ts";
import { expose, type Family, type Format } from "./exposition.ts";

/**
 * Seconds. OpenTelemetry's buckets for `mcp.server.operation.duration`, and finer ones around the latencies that releases and
 * autoscalers are judged by.
 */
export const BUCKETS = [
  0.005, 0.01, 0.02, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1, 2, 5, 10, 30, 60, 120, 300,
];

type Label = "mcp_method_name" | "gen_ai_tool_name" | "error_type";

/** One JSON-RPC request and how it ended. */
export interface Operation {
  readonly method: string;
  /** The tool's name, for `tools/call` of a tool that exists. */
  readonly tool: string;
  /** Nothing for success, an answer's `ErrorDetail.kind` where it is marked as an error, else the JSON-RPC code. */
  readonly errorType: string;
  readonly seconds: number;
  /** Of the trace that it is part of, 32 hexadecimal digits: the exemplar of its bucket. */
  readonly traceId?: string | undefined;
}

/**
 * What `/metrics` shows, under OpenTelemetry's names in Prometheus's spelling.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/gen-ai/mcp/
 */
export class Metrics {
  readonly #registry = new Registry(Registry.OPENMETRICS_CONTENT_TYPE);
  readonly #collectors = new Map<string, Collector>();
  /** Its type does not tell labels from those of exemplars. */
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

  /** @throws Error when there is a metric of one of the names already */
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

  /** Only those that begin like this, of those that were added. */
  textOf(prefix: string, format: Format): string {
    const wanted = [...this.#collectors.values()].filter(({ name }) => name.startsWith(prefix));
    return expose(wanted.map(read), format);
  }
}

function read({ name, help, type, read: values }: Collector): Family {
  return { name, help, type, values: values() };
}
