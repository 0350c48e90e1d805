import type { ServerResponse } from "node:http";
import type { HttpError } from "../errors/http-error.ts";
import { stringify } from "../json/well-formed.ts";

export type WriteHead = (status: number, headers: Readonly<Record<string, string>>) => void;

/**
 * Writes a JSON-RPC error with the id null. The caller ends the response; `sent` is called when the
 * operating system has its bytes.
 */
export function writeRefusal(
  response: ServerResponse,
  { code, status, message, details }: HttpError,
  writeHead: WriteHead,
  sent: () => void = () => undefined,
): void {
  const body = stringify({ jsonrpc: "2.0", error: { code, message, data: details.data }, id: null });
  const length = String(Buffer.byteLength(body));
  writeHead(status, { ...details.headers, "content-type": "application/json", "content-length": length });
  response.write(body, sent);
}
