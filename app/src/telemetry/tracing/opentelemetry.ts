import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type Sampler,
} from "@opentelemetry/sdk-trace";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../../config.ts";
import type { TracingConfig } from "../../config/telemetry.ts";
import type { Logger } from "../logger.ts";
import { outsideTraces, type Tracing } from "../request-trace.ts";
import { followOutgoingRequests } from "./outgoing.ts";
import { RequestSpan } from "./request-span.ts";
import { ReportingExporter } from "./reporting-exporter.ts";

/** Milliseconds for sending one batch, with all attempts. */
const EXPORT_TIMEOUT = 5000;

/** Milliseconds that closing waits for the last spans. */
const CLOSE_TIMEOUT = 2000;

/**
 * Keeps traces with OpenTelemetry and sends them to a collector.
 *
 * A slow collector delays no call: spans are sent in the background, and dropped when more than
 * 2,048 wait.
 */
export function startTracing(
  config: TracingConfig,
  { version, color }: Pick<Config, "version" | "color">,
  logger: Logger,
): Tracing {
  const exporter = new OTLPTraceExporter({ url: config.url, headers: config.headers, timeoutMillis: EXPORT_TIMEOUT });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      "service.name": config.serviceName,
      "service.version": version,
      "service.instance.id": randomUUID(),
      "mcp_bluegreen.color": color,
    }),
    sampler: samplerFor(config),
    spanLimits: { attributeValueLengthLimit: 512 },
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new ReportingExporter(exporter, logger),
        exportTimeoutMillis: 2 * EXPORT_TIMEOUT,
      }),
    ],
  });
  const tracer = provider.getTracer("mcp-bluegreen", version);
  const stopFollowing = followOutgoingRequests();
  return {
    begin: (request) => new RequestSpan(tracer, request),
    async close() {
      stopFollowing();
      const sent = outsideTraces(() => provider.shutdown()).catch(() => undefined);
      await Promise.race([sent, sleep(CLOSE_TIMEOUT, undefined, { ref: false })]);
    },
  };
}

function samplerFor({ sampler, ratio }: TracingConfig): Sampler {
  switch (sampler) {
    case "always_on":
      return new AlwaysOnSampler();
    case "always_off":
      return new AlwaysOffSampler();
    case "traceidratio":
      return new TraceIdRatioBasedSampler(ratio);
    case "parentbased_always_on":
      return new ParentBasedSampler({ root: new AlwaysOnSampler() });
    case "parentbased_always_off":
      return new ParentBasedSampler({ root: new AlwaysOffSampler() });
    case "parentbased_traceidratio":
      return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) });
  }
}
