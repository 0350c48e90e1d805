/** JSON-RPC's code for a request that HTTP refuses, as the MCP SDK uses it. */
export const REFUSED = -32000;
export const INVALID_REQUEST = -32600;
export const PARSE_ERROR = -32700;

/** Parts of a refusal for programs, besides its status and code. */
export interface HttpErrorDetails {
  readonly headers?: Readonly<Record<string, string>>;
  /** The JSON-RPC error's `data`. */
  readonly data?: object;
}

/** A request that is refused: the HTTP status and the JSON-RPC error of its answer. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: number;
  readonly code: number;
  readonly details: HttpErrorDetails;

  constructor(status: number, code: number, message: string, details: HttpErrorDetails = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
  }
}
