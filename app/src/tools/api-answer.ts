import { isUtf8 } from "node:buffer";
import { z } from "zod";
import { parseExactly } from "../json/exact.ts";
import { stringify } from "../json/well-formed.ts";
import type { HttpAnswer } from "../outbound/http-client.ts";

/** Headers that are passed on to the caller. */
const TELLING = [
  "cache-control",
  "content-type",
  "date",
  "etag",
  "expires",
  "last-modified",
  "link",
  "location",
  "retry-after",
  "x-request-id",
] as const;

/** Levels of JSON that are returned as JSON; deeper JSON is returned as text. */
const MAX_DEPTH = 32;

/** Characters of the body in the text of an answer, for clients that read only text. */
const MAX_SAID = 2000;

/** Output of tools that call an API. */
export const answerData = {
  status: z.number().int().describe("HTTP status"),
  url: z.string().describe("Where the answer came from, redirects followed"),
  headers: z.record(z.string(), z.string()),
  body: z.unknown().optional().describe("JSON where it is JSON, else text; absent where it is neither"),
  unreadable: z
    .string()
    .optional()
    .describe("Why the body could not be decoded; the request was answered all the same"),
  truncated: z.boolean().describe("Whether the body went on and was cut off"),
};

export type AnswerData = z.output<z.ZodObject<typeof answerData>>;

/**
 * Converts an answer to data.
 *
 * @param most - bytes of the body that are returned. @default - all that were read
 */
export function dataOf(answer: HttpAnswer, most = Infinity): AnswerData {
  const { status, url, headers, body } = answer;
  const truncated = answer.truncated || body.byteLength > most;
  const shown = readBody(headers["content-type"] ?? "", body.subarray(0, most), truncated);
  return {
    status,
    url: url.href,
    headers: Object.fromEntries(
      TELLING.flatMap((name) => {
        const value = headers[name];
        return value === undefined ? [] : [[name, Array.isArray(value) ? value.join(", ") : value]];
      }),
    ),
    ...(shown === undefined ? {} : { body: shown }),
    truncated,
    ...(answer.unreadable === undefined ? {} : { unreadable: answer.unreadable }),
  };
}

export function sentenceOf({ status, url, headers, body, truncated, unreadable }: AnswerData): string {
  if (unreadable !== undefined) return `${url} answered ${status}, but its body cannot be decoded: ${unreadable}.`;
  if (body === undefined) return `${url} answered ${status} with no text (${headers["content-type"] ?? "no type"}).`;
  // Well-formed, because a client may parse it.
  const text = typeof body === "string" ? body : stringify(body);
  const isCut = truncated || text.length > MAX_SAID;
  return `${url} answered ${status}${isCut ? ", of which this is the beginning" : ""}:\n${text.slice(0, MAX_SAID)}`;
}

function readBody(type: string, body: Buffer, truncated: boolean): unknown {
  const isJson = /^application\/([a-z0-9.+-]+\+)?json\b/i.test(type);
  const isText =
    isJson || /^(text\/|application\/([a-z0-9.+-]+\+)?(xml|javascript|x-www-form-urlencoded|yaml)\b)/i.test(type);
  // Without a type, UTF-8 counts as text.
  if (body.byteLength === 0 || !(isText || (type === "" && isUtf8(body)))) return undefined;
  const text = decode(type, body, truncated);
  return isJson && !truncated ? (parseJson(text) ?? text) : text;
}

/** Undefined for text that is not JSON, is too deep, or has numbers too large for a double. */
function parseJson(text: string): unknown {
  try {
    const value: unknown = parseExactly(text);
    return isWithin(value, MAX_DEPTH) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isWithin(value: unknown, levels: number): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => isWithin(inner, levels - 1));
}

function decode(type: string, body: Buffer, truncated: boolean): string {
  const [, charset = "utf-8"] = /charset="?([a-z0-9_-]+)/i.exec(type) ?? [];
  // Without the rest of a truncated character.
  const options = { stream: truncated };
  try {
    return new TextDecoder(charset).decode(body, options);
  } catch {
    return new TextDecoder().decode(body, options);
  }
}
