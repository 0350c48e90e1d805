const JSON_TYPE = "application/json";
const STREAM_TYPE = "text/event-stream";
const BOTH = `${JSON_TYPE}, ${STREAM_TYPE}`;

/**
 * Parts between commas, and between semicolons, outside of quotes. An open quote lasts to the end.
 */
const RANGES = /(?:"(?:\\.|[^"\\])*(?:"|\\?$)|[^,"])+/g;
const PARAMETERS = /(?:"(?:\\.|[^"\\])*(?:"|\\?$)|[^;"])+/g;

/**
 * Rewrites an `Accept` header for the SDK's 2025 path, which requires the two types by their full
 * names. A type is included if the header accepts it in any spelling, by a wildcard, or by its
 * absence. `q=0` excludes a type. A header that accepts neither stays.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1
 */
export function normalizeAccept(header: string | undefined): string {
  if (header === undefined || header.trim() === "" || header === BOTH) return BOTH;
  const ranges = (header.match(RANGES) ?? []).map(readRange);
  const accepted = [JSON_TYPE, STREAM_TYPE].filter((type) => qualityOf(type, ranges) > 0);
  return accepted.length === 0 ? header : accepted.join(", ");
}

interface MediaRange {
  readonly type: string;
  readonly quality: number;
}

function readRange(text: string): MediaRange {
  const [type = "", ...parameters] = (text.match(PARAMETERS) ?? []).map((part) => part.trim().toLowerCase());
  const quality = parameters.find((parameter) => /^q\s*=/.test(parameter))?.replace(/^q\s*=\s*/, "");
  return { type, quality: quality === undefined ? 1 : Number(quality) };
}

/** The quality of the most specific range that matches the type. */
function qualityOf(type: string, ranges: readonly MediaRange[]): number {
  for (const name of [type, `${type.split("/", 1)[0] ?? ""}/*`, "*/*"]) {
    const matching = ranges.filter((range) => range.type === name);
    if (matching.length > 0) return Math.max(...matching.map(({ quality }) => quality));
  }
  return 0;
}
