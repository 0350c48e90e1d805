import type { ServerResponse } from "node:http";

/** JSON-RPC's code for a request that HTTP refuses, as the MCP SDK uses it. */
export const REFUSED = -32000;
export const INVALID_REQUEST = -32600;
export const PARSE_ERROR = -32700;

/** The part of a refusal that programs read, besides its status and code. */
export interface RefusalDetails {
  readonly headers?: Readonly<Record<string, string>>;
  /** The JSON-RPC error's `data`. */
  readonly data?: object;
}

/** A request that is not passed on: the HTTP status and the JSON-RPC error that say why. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  readonly code: number;
  readonly details: RefusalDetails;

  constructor(status: number, code: number, message: string, details: RefusalDetails = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

export type WriteHead = (status: number, headers: Readonly<Record<string, string>>) => void;

/**
 * Writes a JSON-RPC error; its id is null, as for every request that was not understood. The caller
 * ends the response; `sent` is called when its bytes are with the operating system.
 */
export function writeRefusal(
  response: ServerResponse,
  { code, status, message, details }: Refusal,
  writeHead: WriteHead,
  sent: () => void = () => undefined,
): void {
  const body = JSON.stringify({ jsonrpc: "2.0", error: { code, message, data: details.data }, id: null });
  const length = String(Buffer.byteLength(body));
  writeHead(status, { ...details.headers, "content-type": "application/json", "content-length": length });
  response.write(body, sent);
}
