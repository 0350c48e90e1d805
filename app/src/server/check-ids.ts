import { HttpError, INVALID_REQUEST } from "../errors/http-error.ts";
import { isObject } from "../json/is-object.ts";

/**
 * Characters of a request's id and progress token. Each message of an answer or a stream repeats
 * them, so long ones would make the answer very large. Clients use numbers and UUIDs.
 */
const MAX_LENGTH = 1024;

/**
 * Checks the ids and progress tokens of a request or a batch.
 *
 * @throws HttpError 400 when two requests have the same id, because only one would be answered
 * @throws HttpError 400 for an id or a progress token that is too long
 */
export function checkIds(body: unknown): void {
  const ids = new Set<unknown>();
  for (const message of Array.isArray(body) ? (body as readonly unknown[]) : [body]) {
    if (!isObject(message) || !("id" in message) || !("method" in message)) continue;
    if (ids.has(message.id)) throw invalid("two requests of a batch have the same id");
    ids.add(message.id);
    if (isLong(message.id)) throw invalid(`an id may have at most ${MAX_LENGTH} characters`);
    const meta = isObject(message.params) ? message.params._meta : undefined;
    if (isObject(meta) && isLong(meta.progressToken)) {
      throw invalid(`a progress token may have at most ${MAX_LENGTH} characters`);
    }
  }
}

const isLong = (value: unknown): boolean => typeof value === "string" && value.length > MAX_LENGTH;

const invalid = (problem: string): HttpError => new HttpError(400, INVALID_REQUEST, `Invalid request: ${problem}`);
