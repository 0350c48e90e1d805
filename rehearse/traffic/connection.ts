import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import type { Color } from "../../environment/color.ts";
import { COLORS } from "../../environment/color.ts";

/** `kept`: one TCP connection for as long as the server lets it live. `fresh`: a new TCP connection for every request. */
export type ConnectionKind = "kept" | "fresh";

/** Who answered the last request. */
export interface Responder {
  readonly color?: Color;
  readonly version?: string;
}

/**
 * A `fetch` of one caller that decides itself when to open a TCP connection, and remembers who answered.
 *
 * The global `fetch` pools connections among all callers; whether traffic follows a switch is a question about connections, so
 * here each caller has its own. Nothing is sent twice: a connection that breaks is a failed call.
 */
export class Connection {
  readonly #agent: Agent | false;
  #responder: Responder = {};
  #broken = false;

  constructor(kind: ConnectionKind) {
    this.#agent = kind === "kept" ? new Agent({ keepAlive: true, maxSockets: 1 }) : false;
  }

  get responder(): Responder {
    return this.#responder;
  }

  /** The last answer began to come and was cut off. */
  get broken(): boolean {
    return this.#broken;
  }

  close(): void {
    if (this.#agent !== false) this.#agent.destroy();
  }

  readonly fetch = async (url: string | URL, init: RequestInit = {}): Promise<Response> => {
    this.#responder = {};
    this.#broken = false;
    // A stream that a client opens with GET stays open, and would keep its calls from the one connection.
    const agent = (init.method ?? "GET") === "GET" ? false : this.#agent;
    const answer = await send(new URL(url), init, agent);
    this.#responder = responderOf(answer);
    answer.once("error", () => (this.#broken = true));
    const { statusCode: status = 500, headers } = answer;
    const bodiless = status === 204 || status === 304;
    if (bodiless) answer.resume();
    return new Response(bodiless ? null : Readable.toWeb(answer), {
      status,
      headers: Object.entries(headers).flatMap(([name, value]) =>
        [value ?? []].flat().map((one): [string, string] => [name, one]),
      ),
    });
  };
}

function send(url: URL, init: RequestInit, agent: Agent | false): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = Object.fromEntries(new Headers(init.headers));
    const body = typeof init.body === "string" ? init.body : undefined;
    if (body !== undefined) headers["content-length"] = String(Buffer.byteLength(body));
    // Names below `localhost` are this machine (RFC 6761), also where its resolver does not know them.
    const isHere = url.hostname.endsWith(".localhost");
    if (isHere) headers.host = url.host;
    const outgoing = httpRequest(url, {
      ...(isHere && { hostname: "127.0.0.1" }),
      method: init.method ?? "GET",
      headers,
      agent,
      ...(init.signal && { signal: init.signal }),
    });
    outgoing.once("response", resolve).once("error", reject).end(body);
  });
}

function responderOf({ headers }: IncomingMessage): Responder {
  const { "x-mcp-color": named, "x-mcp-version": version } = headers;
  const color = COLORS.find((color) => color === named);
  return { ...(color && { color }), ...(typeof version === "string" && { version }) };
}
