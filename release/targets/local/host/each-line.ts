import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";

/** Characters of a line that are passed on. */
export const LONGEST_LINE = 8192;

/**
 * Calls back for each line of a stream, without its end. A longer line is cut, so that a program
 * that writes no line ends cannot fill the memory.
 */
export function eachLine(stream: Readable, onLine: (line: string) => void): void {
  const decoder = new StringDecoder("utf8");
  let begun = "";
  const take = (text: string): void => {
    const parts = text.split("\n");
    const last = parts.pop() ?? "";
    for (const part of parts) {
      onLine(cut(begun + part).replace(/\r$/, ""));
      begun = "";
    }
    begun = cut(begun + last);
  };
  stream.on("data", (chunk: Buffer) => {
    take(decoder.write(chunk));
  });
  stream.once("end", () => {
    if (begun !== "") onLine(begun);
  });
}

const cut = (line: string): string => (line.length > LONGEST_LINE ? line.slice(0, LONGEST_LINE) : line);
