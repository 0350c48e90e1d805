import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { McpHttpHandler } from "@modelcontextprotocol/server";
import type { Config } from "../config.ts";
import type { Logger } from "../telemetry/logger.ts";
import { readJson } from "./body.ts";
import type { Connections } from "./connections.ts";
import { exchange } from "./exchange.ts";
import { createGuard } from "./guard.ts";
import { Refusal, refuse, type WriteHead } from "./refusal.ts";

/** Milliseconds for a request's headers, and for all of it, to arrive. */
const HEADERS_TIMEOUT = 10_000;
const REQUEST_TIMEOUT = 30_000;

/** Above the 60 s after which common load balancers drop an idle connection: whoever closes it first risks a request under way. */
const IDLE_TIMEOUT = 75_000;

export interface McpPortOptions {
  readonly config: Config;
  readonly handler: Pick<McpHttpHandler, "fetch">;
  readonly connections: Connections;
  readonly logger: Logger;
}

/** The HTTP server of the MCP endpoint: guard, limits and the lifetime of connections in front of the SDK's handler. */
export function createMcpPort({ config, handler, connections, logger }: McpPortOptions): Server {
  const identity = { "x-mcp-color": config.color, "x-mcp-version": config.version };
  const keepAlive = { "keep-alive": `timeout=${Math.floor(config.keepAliveTimeout / 1000)}` };
  const guard = createGuard(config);

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const current = connections.begin(request.socket);
    response.once("close", current.done);
    let isStream = false;

    const writeHead: WriteHead = (status, headers) => {
      // A stream keeps its connection until the drain; the rest of a body that was refused is not another request.
      const isLast = isStream || !request.complete || connections.mustEnd(request.socket);
      response.writeHead(status, { ...headers, ...identity, ...(isLast ? { connection: "close" } : keepAlive) });
    };

    try {
      guard(request);
      const parsedBody = request.method === "POST" ? await readJson(request, config.maxBodyBytes) : undefined;
      isStream = methodOf(parsedBody) === "subscriptions/listen";
      if (isStream) current.isStream();
      await exchange(request, response, (web) => handler.fetch(web, { parsedBody }), writeHead);
    } catch (error) {
      if (response.destroyed) return; // The client went away; there is nobody to tell.
      if (error instanceof Refusal) {
        logger.debug({ status: error.status, code: error.code, reason: error.message }, "refused");
        refuse(response, error, writeHead);
        return;
      }
      logger.error({ err: error }, "a request failed");
      if (response.headersSent) response.destroy();
      else refuse(response, new Refusal(500, -32603, "Internal error"), writeHead);
    }
  }

  const server = createServer(
    { headersTimeout: HEADERS_TIMEOUT, requestTimeout: REQUEST_TIMEOUT, keepAliveTimeout: IDLE_TIMEOUT },
    (request, response) => {
      void serve(request, response);
    },
  );
  server.on("connection", (socket) => {
    connections.add(socket);
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    answerBrokenHttp(error, socket, identity);
  });
  return server;
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
