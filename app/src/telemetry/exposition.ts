/** Format of a scrape. OpenMetrics has exemplars. */
export type Format = "prometheus" | "openmetrics";

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

export type Labels = Readonly<Partial<Record<string, string | number>>>;

export interface Sample {
  /** Label values are names of this program, because each combination is stored permanently. */
  readonly labels?: Labels;
  readonly value: number;
  /** Name of this part of a histogram or summary. @default - the metric's name */
  readonly metricName?: string;
  readonly exemplar?: Exemplar | null;
}

export interface Exemplar {
  readonly labelSet: Labels;
  readonly value: number;
  /** Seconds since the epoch. */
  readonly timestamp: number;
}

/** A metric at the time of a scrape. */
export interface Family {
  /** Ends in `_total` for a counter. */
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram" | "summary";
  readonly values: Iterable<Sample>;
}

/** The format for an `Accept` header. */
export function formatFor(accept: string | undefined): Format {
  return accept?.includes("application/openmetrics-text") === true ? "openmetrics" : "prometheus";
}

/**
 * Writes a scrape.
 *
 * The client library's own writer renames its counters when it writes OpenMetrics, which breaks the
 * next plain scrape.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 * @see https://prometheus.io/docs/specs/om/open_metrics_spec/
 */
export function expose(families: Iterable<Family>, format: Format): string {
  const lines: string[] = [];
  for (const { name, help, type, values } of families) {
    const family = format === "openmetrics" && type === "counter" ? name.replace(/_total$/, "") : name;
    lines.push(`# HELP ${family} ${escape(help)}`, `# TYPE ${family} ${type}`);
    for (const sample of values) lines.push(line(name, sample, format));
  }
  if (format === "openmetrics") lines.push("# EOF");
  return `${lines.join("\n")}\n`;
}

function line(name: string, { labels = {}, value, metricName = name, exemplar }: Sample, format: Format): string {
  const pairs = written(labels);
  const plain = `${metricName}${pairs === "" ? "" : `{${pairs}}`} ${number(value)}`;
  if (format === "prometheus" || exemplar === undefined || exemplar === null) return plain;
  return `${plain} # {${written(exemplar.labelSet)}} ${number(exemplar.value)} ${exemplar.timestamp}`;
}

function written(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escape(String(value)).replaceAll('"', '\\"')}"`)
    .join(",");
}

function escape(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function number(value: number): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return "NaN";
  return value > 0 ? "+Inf" : "-Inf";
}
