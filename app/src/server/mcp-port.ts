import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { AuthInfo, McpHttpHandler } from "@modelcontextprotocol/server";
import type { Authorization } from "../auth/authorization.ts";
import type { Config } from "../config.ts";
import { HttpError, REFUSED } from "../errors/http-error.ts";
import type { Logger } from "../telemetry/logger.ts";
import { discard, readJson } from "./body.ts";
import { rememberCalledTool } from "./called-tool.ts";
import type { Connections } from "./connections.ts";
import { exchange } from "./exchange.ts";
import { createGuard, MCP_PATH } from "./guard.ts";
import { refuse, type WriteHead } from "./refuse.ts";

/** Milliseconds that clients may take; after that their connection is closed. */
export interface Patience {
  /** For a request's headers to arrive. */
  readonly headers: number;
  /** For all of it. */
  readonly request: number;
  /** Without taking a byte of a response that waits for them. */
  readonly response: number;
  /** Without a request. Above the 60 s after which common load balancers drop an idle connection: whoever closes it first risks a request under way. */
  readonly idle: number;
}

const PATIENCE: Patience = { headers: 10_000, request: 30_000, response: 30_000, idle: 75_000 };

/** Milliseconds between looks for requests that take too long. Node's own default would let them take 30 s longer. */
const LOOK_INTERVAL = 1000;

export interface McpPortOptions {
  readonly config: Config;
  /** Absent: anybody may call. */
  readonly authorization: Authorization | undefined;
  readonly handler: Pick<McpHttpHandler, "fetch">;
  readonly connections: Connections;
  readonly logger: Logger;
  /** @default - 10 s for headers, 30 s for a request and for a response that nobody reads, 75 s in between */
  readonly patience?: Patience;
}

/** The HTTP server of the MCP endpoint: guard, limits and the lifetime of connections in front of the SDK's handler. */
export function createMcpPort(options: McpPortOptions): Server {
  const { config, authorization, handler, connections, logger, patience = PATIENCE } = options;
  const identity = { "x-mcp-color": config.color, "x-mcp-version": config.version };
  const keepAlive = { "keep-alive": `timeout=${Math.floor(config.keepAliveTimeout / 1000)}` };
  const guard = createGuard(config, new Set([MCP_PATH, ...(authorization?.metadataPaths ?? [])]));

  async function authenticate(request: IncomingMessage): Promise<AuthInfo | undefined> {
    try {
      return await authorization?.authenticate(request);
    } catch (error) {
      await discard(request, config.maxBodyBytes);
      throw error;
    }
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const current = connections.begin(request.socket);
    if (request.socket.destroyed) return;
    response.once("close", current.done);
    let isStream = false;

    const writeHead: WriteHead = (status, headers) => {
      // A stream keeps its connection until the drain; the rest of a body that was refused is not another request.
      const isLast = isStream || !request.complete || connections.mustEnd(request.socket);
      response.writeHead(status, { ...headers, ...identity, ...(isLast ? { connection: "close" } : keepAlive) });
    };

    try {
      const path = guard(request);
      if (authorization !== undefined && path !== MCP_PATH) {
        answerMetadata(request, response, authorization.metadata, writeHead);
        return;
      }
      const authInfo = await authenticate(request);
      if (request.method !== "POST") throw notAllowed("POST");
      const parsedBody = await readJson(request, config.maxBodyBytes);
      isStream = methodOf(parsedBody) === "subscriptions/listen";
      if (isStream) {
        current.isStream();
        endAtExpiry(response, authInfo);
      }
      const options = { parsedBody, ...(authInfo === undefined ? {} : { authInfo }) };
      const handle = (web: Request) => handler.fetch(rememberCalledTool(web, parsedBody), options);
      await exchange(request, response, handle, { writeHead, hasEnd: () => !isStream });
    } catch (error) {
      if (response.destroyed) return; // The client went away; there is nobody to tell.
      if (error instanceof HttpError) {
        logger.debug({ status: error.status, code: error.code, reason: error.message }, "refused");
        refuse(response, error, writeHead);
        return;
      }
      logger.error({ err: error }, "a request failed");
      if (response.headersSent) response.destroy();
      else refuse(response, new HttpError(500, -32603, "Internal error"), writeHead);
    }
  }

  const server = createServer({
    headersTimeout: patience.headers,
    requestTimeout: patience.request,
    keepAliveTimeout: patience.idle,
    connectionsCheckingInterval: Math.min(LOOK_INTERVAL, patience.headers),
  });
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    void serve(request, response);
  };
  server.on("request", answer);
  // Whatever else a client expects; Node's own refusal would keep a connection that has to end.
  server.on("checkExpectation", answer);
  server.on("connection", (socket) => {
    connections.add(socket);
  });
  // Fires when nothing has gone in or out for so long, which is as it should be while a call works.
  server.setTimeout(patience.response, (socket) => {
    if (socket.writableLength > 0 || connections.isIdle(socket)) socket.destroy();
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    answerBrokenHttp(error, socket, identity);
  });
  return server;
}

function notAllowed(...allowed: readonly [string, ...string[]]): HttpError {
  return new HttpError(405, REFUSED, `Method not allowed: only ${allowed[0]}`, {
    headers: { allow: allowed.join(", ") },
  });
}

/** What anybody may know: where to get a token. */
function answerMetadata(request: IncomingMessage, response: ServerResponse, text: string, writeHead: WriteHead): void {
  if (request.method !== "GET" && request.method !== "HEAD") {
    throw notAllowed("GET", "HEAD");
  }
  writeHead(200, { "content-type": "application/json", "content-length": String(Buffer.byteLength(text)) });
  response.end(request.method === "HEAD" ? undefined : text);
}

/** Timers take no more milliseconds than this, some 25 days. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** A stream outlives the request that opened it, but not the token: its client comes back with a new one. */
function endAtExpiry(response: ServerResponse, authInfo: AuthInfo | undefined): void {
  if (authInfo?.expiresAt === undefined) return;
  const left = Math.min(authInfo.expiresAt * 1000 - Date.now(), LONGEST_TIMER);
  const timer = setTimeout(() => response.destroy(), left);
  response.once("close", () => {
    clearTimeout(timer);
  });
}

const BROKEN_HTTP: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};

/** Answers what could not be read as HTTP, for which there is no response object. */
function answerBrokenHttp(
  error: NodeJS.ErrnoException,
  socket: Socket,
  identity: Readonly<Record<string, string>>,
): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const headers = Object.entries({ ...identity, connection: "close", "content-length": "0" });
  const lines = [
    `HTTP/1.1 ${BROKEN_HTTP[error.code ?? ""] ?? "400 Bad Request"}`,
    ...headers.map((pair) => pair.join(": ")),
  ];
  socket.end(`${lines.join("\r\n")}\r\n\r\n`);
}

function methodOf(body: unknown): unknown {
  return typeof body === "object" && body !== null && "method" in body ? body.method : undefined;
}
