/** One line of a scrape. */
export interface Line {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Labels of its exemplar. */
  readonly exemplar?: Readonly<Record<string, string>>;
}

export interface Scrape {
  readonly lines: readonly Line[];
  /** By the name that HELP and TYPE give it. */
  readonly types: ReadonlyMap<string, string>;
}

const LABELS = String.raw`\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*)\}`;
const NUMBER = String.raw`[+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|NaN`;
const EXEMPLAR = String.raw` # ${LABELS} (${NUMBER})(?: (${NUMBER}))?`;
const SAMPLE = new RegExp(`^([a-zA-Z_:][\\w:]*)(?:${LABELS})? (${NUMBER})(?:${EXEMPLAR})?$`);

/**
 * Reads a scrape as strictly as Prometheus does.
 *
 * @throws Error for a line that is none, a metric without its type or with two, and a number that stands there twice
 */
export function readScrape(text: string, format: "prometheus" | "openmetrics"): Scrape {
  const written = text.split("\n");
  if (written.pop() !== "") throw new Error("does not end with a line break");
  if (format === "openmetrics" && written.pop() !== "# EOF") throw new Error("does not end with '# EOF'");
  const types = new Map<string, string>();
  const helped = new Set<string>();
  const seen = new Set<string>();
  const lines: Line[] = [];
  for (const line of written) {
    const [, keyword, family = "", rest = ""] = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.+)$/.exec(line) ?? [];
    if (keyword === "HELP") once(helped, family, line);
    else if (keyword === "TYPE") {
      if (types.has(family)) throw new Error(`a second time: ${line}`);
      types.set(family, rest);
    } else lines.push(readLine(line, types, seen, format));
  }
  return { lines, types };
}

function readLine(
  line: string,
  types: ReadonlyMap<string, string>,
  seen: Set<string>,
  format: "prometheus" | "openmetrics",
): Line {
  const [, name, labelText = "", value, exemplar] = SAMPLE.exec(line) ?? [];
  if (name === undefined || value === undefined) throw new Error(`not a line of a scrape: ${line}`);
  const family = [name, name.replace(/_(total|bucket|sum|count)$/, "")].find((candidate) => types.has(candidate));
  if (family === undefined) throw new Error(`no TYPE for ${line}`);
  if (types.get(family) === "counter" && !name.endsWith("_total")) throw new Error(`a counter without _total: ${line}`);
  if (exemplar !== undefined && format === "prometheus") throw new Error(`an exemplar in a plain scrape: ${line}`);
  once(seen, `${name}{${labelText}}`, line);
  return {
    name,
    labels: readLabels(labelText),
    value: value.endsWith("Inf") ? Infinity : Number(value),
    ...(exemplar === undefined ? {} : { exemplar: readLabels(exemplar) }),
  };
}

function readLabels(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...text.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)].map(([, name = "", value = ""]) => [name, value]),
  );
}

function once(seen: Set<string>, key: string, line: string): void {
  if (seen.has(key)) throw new Error(`a second time: ${line}`);
  seen.add(key);
}
