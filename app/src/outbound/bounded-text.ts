import { CollectedBytes } from "../collected-bytes.ts";

/**
 * The text of a response, if it is not longer than what it is asked for could be.
 *
 * @param tooLong - makes the error to throw when there are more bytes; the rest is not read then
 */
export async function boundedText(response: Response, maxBytes: number, tooLong: () => Error): Promise<string> {
  const collected = new CollectedBytes();
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    collected.add(chunk);
    if (collected.length > maxBytes) throw tooLong();
  }
  return collected.bytes.toString("utf8");
}
