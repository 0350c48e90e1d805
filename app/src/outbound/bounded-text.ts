import { CollectedBytes } from "../collected-bytes.ts";

/**
 * The text of a response of limited size.
 *
 * @param tooLong - makes the error for a larger response, whose rest is not read
 */
export async function boundedText(response: Response, maxBytes: number, tooLong: () => Error): Promise<string> {
  const collected = new CollectedBytes();
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    collected.add(chunk);
    if (collected.length > maxBytes) throw tooLong();
  }
  return collected.bytes.toString("utf8");
}
