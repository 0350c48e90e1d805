import { Agent as HttpAgent, request as requestHttp, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import type { Readable } from "node:stream";
import { CollectedBytes } from "../collected-bytes.ts";
import { ToolInputError } from "../errors/tool-input-error.ts";
import type { Addresses } from "./addresses.ts";
import { ACCEPTED_CODINGS, decoded, type Body } from "./content-coding.ts";
import type { CheckedRequest } from "./request.ts";
import { describeNetworkError, UpstreamFailure } from "./upstream-failure.ts";

/** Bytes of a body that are read and decoded; the rest is cut off. */
const MAX_BODY_BYTES = 256 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;

/**
 * Milliseconds that an idle connection is kept. Shorter than most servers keep it: the side that
 * closes first can lose a request.
 */
const KEEP_IDLE = 4000;

/** Connections to all upstreams. */
const MAX_SOCKETS = 512;

/** The answer of a server, as far as it was read. */
export interface WireAnswer extends Body {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

/** One HTTP exchange: only allowed addresses, no redirects, a limited size. */
export class Wire {
  readonly #addresses: Addresses;
  readonly #http: HttpAgent;
  readonly #https: HttpsAgent;

  /** @param maxSockets - connections to one upstream */
  constructor(addresses: Addresses, maxSockets: number) {
    this.#addresses = addresses;
    const options = { keepAlive: true, maxSockets, maxTotalSockets: MAX_SOCKETS, timeout: KEEP_IDLE };
    this.#http = new HttpAgent(options);
    this.#https = new HttpsAgent(options);
  }

  /**
   * @throws ToolInputError for an address that may not be called
   * @throws UpstreamFailure when there is no answer
   */
  async send(request: CheckedRequest, signal: AbortSignal): Promise<WireAnswer> {
    this.#addresses.checkLiteral(request.url);
    try {
      return await this.#exchange(request, signal);
    } catch (error) {
      if (error instanceof ToolInputError || error instanceof UpstreamFailure) throw error;
      throw describeNetworkError(request.url.origin, error);
    }
  }

  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  #exchange({ url, method, headers, body }: CheckedRequest, signal: AbortSignal): Promise<WireAnswer> {
    const isSecure = url.protocol === "https:";
    return new Promise((resolve, reject) => {
      const request = (isSecure ? requestHttps : requestHttp)(url, {
        method,
        signal,
        agent: isSecure ? this.#https : this.#http,
        lookup: this.#addresses.lookup,
        maxHeaderSize: MAX_HEADER_BYTES,
        headers: {
          "user-agent": "mcp-bluegreen",
          accept: "*/*",
          "accept-encoding": ACCEPTED_CODINGS,
          ...headers,
          // Always set for methods with a body, so that the end of the body is unambiguous.
          ...(body !== undefined || !["GET", "HEAD"].includes(method)
            ? { "content-length": body?.byteLength ?? 0 }
            : {}),
        },
      });
      let response: IncomingMessage | undefined;
      request.on("error", reject);
      request.once("close", () => {
        if (response === undefined)
          reject(new UpstreamFailure(`${url.origin} closed the connection without an answer`));
      });
      request.once("response", (arrived) => {
        response = arrived;
        readAnswer(arrived).then(resolve, reject);
      });
      request.end(body);
    });
  }
}

async function readAnswer(response: IncomingMessage): Promise<WireAnswer> {
  const { statusCode: status = 0, headers } = response;
  const encoded = await readUpTo(response, MAX_BODY_BYTES);
  return { status, headers, ...(await decoded(encoded, headers["content-encoding"] ?? "", MAX_BODY_BYTES)) };
}

async function readUpTo(stream: Readable, most: number): Promise<Body> {
  const collected = new CollectedBytes();
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    collected.add(chunk);
    // Leaving the loop destroys the stream and its connection.
    if (collected.length > most) break;
  }
  return { body: collected.bytes.subarray(0, most), truncated: collected.length > most };
}
