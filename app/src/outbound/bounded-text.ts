/**
 * The text of a response, if it is not longer than what it is asked for could be.
 *
 * @param tooLong - makes the error to throw when there are more bytes; the rest is not read then
 */
export async function boundedText(response: Response, maxBytes: number, tooLong: () => Error): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw tooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
