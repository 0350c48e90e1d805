import type { ServerResponse } from "node:http";
import type { HttpError } from "../errors/http-error.ts";
import { stringify } from "../json/well-formed.ts";

export type WriteHead = (status: number, headers: Readonly<Record<string, string>>) => void;

/** Answers with a JSON-RPC error; its id is null, as for every request that was not understood. */
export function refuse(
  response: ServerResponse,
  { code, status, message, details }: HttpError,
  writeHead: WriteHead,
): void {
  const body = stringify({ jsonrpc: "2.0", error: { code, message, data: details.data }, id: null });
  const length = String(Buffer.byteLength(body));
  writeHead(status, { ...details.headers, "content-type": "application/json", "content-length": length });
  response.end(body);
}
