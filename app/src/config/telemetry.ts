import { z } from "zod";
import { url } from "./kinds.ts";

/** A header's name and value without control characters. */
const HEADER = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

const headers = z.string().transform((text, context) => {
  const pairs = text
    .split(",")
    .filter((pair) => pair.trim() !== "")
    .map(readPair);
  const read = pairs.filter((pair) => pair !== undefined);
  if (read.length < pairs.length) context.addIssue("must be 'name=value' pairs, separated by ',' and percent-encoded");
  return Object.fromEntries(read);
});

/**
 * Traces. The names are those of OpenTelemetry's specification.
 *
 * @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 * @see https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 */
export const telemetryVariables = {
  OTEL_EXPORTER_OTLP_ENDPOINT: url
    .optional()
    .describe(
      "Collector that traces are sent to, as OTLP over HTTP: `http://collector:4318`; `/v1/traces` is added. Without it, no traces are kept.",
    ),
  OTEL_EXPORTER_OTLP_HEADERS: headers
    .prefault("")
    .describe("Headers for the collector: `authorization=Bearer%20token,tenant=blue`. **Secret.**"),
  OTEL_SERVICE_NAME: z
    .string()
    .max(255, "must be at most 255 characters")
    .prefault("mcp-bluegreen")
    .describe("Name of this service in traces."),
  OTEL_TRACES_SAMPLER: z
    .enum(
      [
        "always_on",
        "always_off",
        "traceidratio",
        "parentbased_always_on",
        "parentbased_always_off",
        "parentbased_traceidratio",
      ],
      {
        error:
          "must be 'always_on', 'always_off', 'traceidratio', 'parentbased_always_on', 'parentbased_always_off' or 'parentbased_traceidratio'",
      },
    )
    .prefault("parentbased_always_on")
    .describe("Sampling of traces; `parentbased_…` follows the client's decision if there is one."),
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .regex(/^(0(\.\d+)?|1(\.0+)?)$/, "must be a number from 0 to 1")
    .transform(Number)
    .prefault("1")
    .describe("Share of traces that `traceidratio` keeps, 0 to 1."),
};

type Values = z.output<z.ZodObject<typeof telemetryVariables>>;

/** Absent: no traces are kept, and OpenTelemetry is not loaded. */
export function tracingConfig(values: Values) {
  if (values.OTEL_EXPORTER_OTLP_ENDPOINT === undefined) return undefined;
  return {
    url: `${values.OTEL_EXPORTER_OTLP_ENDPOINT.replace(/\/$/, "")}/v1/traces`,
    headers: values.OTEL_EXPORTER_OTLP_HEADERS,
    serviceName: values.OTEL_SERVICE_NAME,
    sampler: values.OTEL_TRACES_SAMPLER,
    ratio: values.OTEL_TRACES_SAMPLER_ARG,
  };
}

export type TracingConfig = NonNullable<ReturnType<typeof tracingConfig>>;

function readPair(pair: string): readonly [string, string] | undefined {
  const at = pair.indexOf("=");
  const name = pair.slice(0, Math.max(at, 0)).trim();
  try {
    const value = decodeURIComponent(pair.slice(at + 1).trim());
    return HEADER.test(name) && VALUE.test(value) ? [name, value] : undefined;
  } catch {
    return undefined;
  }
}
