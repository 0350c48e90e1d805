import { collectDefaultMetrics, Gauge, Histogram, Registry } from "@prometheus-io/client";
import type { BreakerState, BreakerStats } from "../resilience/breaker.ts";

/**
 * Seconds. OpenTelemetry's buckets for `mcp.server.operation.duration`, and finer ones around the latencies that releases and
 * autoscalers are judged by.
 */
const BUCKETS = [0.005, 0.01, 0.02, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1, 2, 5, 10, 30, 60];

const BREAKER_STATES: Readonly<Record<BreakerState, number>> = { closed: 0, "half-open": 1, open: 2 };

/** One JSON-RPC request and how it ended. */
export interface Operation {
  readonly method: string;
  /** The tool's name, for `tools/call` of a tool that exists. */
  readonly tool: string;
  /** Nothing for success, an answer's `ErrorDetail.kind` where it is marked as an error, else the JSON-RPC code. */
  readonly errorType: string;
  readonly seconds: number;
}

/**
 * What `/metrics` shows, under OpenTelemetry's names in Prometheus's spelling.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/gen-ai/mcp/
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #operations: Histogram<"mcp_method_name" | "gen_ai_tool_name" | "error_type">;

  constructor(options: {
    readonly version: string;
    readonly color: string;
    readonly breakers: () => readonly BreakerStats[];
  }) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });

    this.#operations = new Histogram({
      name: "mcp_server_operation_duration_seconds",
      help: "Time from a request's arrival at the MCP server to its answer",
      labelNames: ["mcp_method_name", "gen_ai_tool_name", "error_type"],
      buckets: BUCKETS,
      registers,
    });
    new Gauge({
      name: "mcp_build_info",
      help: "What runs here; always 1",
      labelNames: ["version", "color"],
      registers,
    }).set({ version: options.version, color: options.color }, 1);
    new Gauge({
      name: "mcp_breaker_state",
      help: "0 closed, 1 half-open, 2 open",
      labelNames: ["breaker"],
      registers,
      collect() {
        for (const { name, state } of options.breakers()) this.set({ breaker: name }, BREAKER_STATES[state]);
      },
    });
  }

  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;

  observe({ method, tool, errorType, seconds }: Operation): void {
    this.#operations.observe({ mcp_method_name: method, gen_ai_tool_name: tool, error_type: errorType }, seconds);
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
