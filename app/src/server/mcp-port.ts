import { createServer, type IncomingMessage, type Server } from "node:http";
import type { Socket } from "node:net";
import { validateHostHeader, validateOriginHeader, type McpHttpHandler } from "@modelcontextprotocol/server";
import type { Config } from "../config.ts";
import type { Logger } from "../telemetry/logger.ts";
import { BadBody, readJson } from "./body.ts";
import type { Connections } from "./connections.ts";
import { exchange } from "./exchange.ts";

const PATH = "/mcp";

/** Milliseconds for a request's headers, and for all of it, to arrive. */
const HEADERS_TIMEOUT = 10_000;
const REQUEST_TIMEOUT = 30_000;

/** Above the 60 s after which common load balancers drop an idle connection, so that it is them who do and not this end. */
const IDLE_TIMEOUT = 75_000;

export interface McpPortOptions {
  readonly config: Config;
  readonly handler: Pick<McpHttpHandler, "fetch">;
  readonly connections: Connections;
  readonly logger: Logger;
}

/** A request that is refused before the MCP handler sees it. */
class Refused extends BadBody {}

/** The HTTP server of the MCP endpoint: guards, limits and connection lifetime in front of the SDK's handler. */
export function createMcpPort({ config, handler, connections, logger }: McpPortOptions): Server {
  const identity = { "x-mcp-color": config.color, "x-mcp-version": config.version };
  const keepAlive = `timeout=${Math.floor(config.keepAliveTimeout / 1000)}`;
  const allowedHosts = [...config.allowedHosts];
  const allowedOrigins = [...config.allowedOrigins];

  const server = createServer(
    { headersTimeout: HEADERS_TIMEOUT, requestTimeout: REQUEST_TIMEOUT, keepAliveTimeout: IDLE_TIMEOUT },
    (request, response) => {
      const current = connections.begin(request.socket);
      response.once("close", current.done);

      const writeHead = (status: number, headers: Record<string, string>, isLast = false) => {
        const lifetime: Record<string, string> =
          isLast || connections.mustEnd(request.socket) ? { connection: "close" } : { "keep-alive": keepAlive };
        const { connection: _, ...rest } = headers;
        response.writeHead(status, { ...rest, ...identity, ...lifetime });
      };

      const refuse = (status: number, code: number, message: string) => {
        logger.debug({ status, code, reason: message }, "refused");
        if (response.headersSent || response.destroyed) {
          response.destroy();
          return;
        }
        const body = JSON.stringify({ jsonrpc: "2.0", error: { code, message }, id: null });
        // What is left of a body that was refused must not be taken for the next request.
        writeHead(
          status,
          { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) },
          !request.complete,
        );
        response.end(body);
      };

      const serve = async () => {
        guard(request);
        const parsedBody = request.method === "POST" ? await readJson(request, config.maxBodyBytes) : undefined;
        const isStream = methodOf(parsedBody) === "subscriptions/listen";
        if (isStream) current.isStream();
        await exchange(
          request,
          response,
          (web) => handler.fetch(web, parsedBody === undefined ? {} : { parsedBody }),
          (status, headers) => {
            writeHead(status, headers, isStream);
          },
        );
      };

      serve().catch((error: unknown) => {
        if (error instanceof BadBody) refuse(error.status, error.code, error.message);
        else {
          logger.error({ err: error }, "a request failed");
          refuse(500, -32603, "Internal error");
        }
      });
    },
  );

  function guard(request: IncomingMessage): void {
    if (request.url?.split("?", 1)[0] !== PATH)
      throw new Refused(404, -32600, `Not found: the MCP endpoint is POST ${PATH}`);
    const host = validateHostHeader(request.headers.host, allowedHosts);
    if (!host.ok)
      throw new Refused(403, -32600, `${host.message}: this server answers only to the hosts in ALLOWED_HOSTS`);
    const origin = validateOriginHeader(request.headers.origin, allowedOrigins);
    if (!origin.ok)
      throw new Refused(
        403,
        -32600,
        `${origin.message}: this server answers only pages of the hosts in ALLOWED_ORIGINS`,
      );
  }

  server.on("connection", (socket) => {
    connections.add(socket);
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    answerBrokenHttp(error, socket, identity);
  });
  return server;
}

/** Answers what could not be read as HTTP; there is no request or response object for it. */
function answerBrokenHttp(
  error: NodeJS.ErrnoException,
  socket: Socket,
  headers: Readonly<Record<string, string>>,
): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const status =
    error.code === "HPE_HEADER_OVERFLOW"
      ? "431 Request Header Fields Too Large"
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? "408 Request Timeout"
        : "400 Bad Request";
  const lines = Object.entries({ ...headers, connection: "close", "content-length": "0" }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  socket.end(`HTTP/1.1 ${status}\r\n${lines.join("")}\r\n`);
}

function methodOf(body: unknown): unknown {
  return typeof body === "object" && body !== null && "method" in body ? body.method : undefined;
}
