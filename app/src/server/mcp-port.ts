import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AuthInfo, McpHttpHandler } from "@modelcontextprotocol/server";
import type { Authorization } from "../auth/authorization.ts";
import { clientOf } from "../auth/principal.ts";
import type { Config } from "../config.ts";
import { HttpError, REFUSED } from "../errors/http-error.ts";
import { isObject } from "../json/is-object.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Admission } from "./admission.ts";
import { discard, parseJson, readBody } from "./body.ts";
import type { BodyBudget } from "./body-budget.ts";
import { rememberCalledTool } from "./called-tool.ts";
import { checkIds } from "./check-ids.ts";
import type { Connections, Exchange } from "./connections.ts";
import { exchange } from "./exchange.ts";
import { createGuard, MCP_PATH } from "./guard.ts";
import { createHttpServer, TIMEOUTS, type Timeouts } from "./http-server.ts";
import { writeRefusal, type WriteHead } from "./refusal.ts";
import { readTarget } from "./request-head.ts";
import { tryAgainLater } from "./try-again.ts";
import { UnreadAnswers } from "./unread-answers.ts";

/** Bytes of a refused body that are discarded, as a multiple of the largest accepted body. */
const DISCARD_FACTOR = 32;

/** Characters of a request for a listen stream, which may exist as long as the stream. */
const MAX_STREAM_REQUEST = 64 * 1024;

export interface McpPortOptions {
  readonly config: Pick<
    Config,
    "color" | "version" | "keepAliveTimeout" | "maxBodyBytes" | "allowedHosts" | "allowedOrigins"
  >;
  /** Absent: every client may call. */
  readonly authorization: Pick<Authorization, "authenticate" | "metadata" | "metadataPaths"> | undefined;
  readonly handler: Pick<McpHttpHandler, "fetch">;
  readonly connections: Connections;
  readonly bodies: BodyBudget;
  readonly admission: Admission;
  readonly logger: Logger;
  /**
   * @default - 10 s for headers, 30 s for a request and an unread response, 75 s between requests
   */
  readonly timeouts?: Timeouts;
}

/** The HTTP server of the MCP endpoint: checks, limits and connections. */
export function createMcpPort(options: McpPortOptions): Server {
  const { config, authorization, handler, connections, bodies, admission, logger, timeouts = TIMEOUTS } = options;
  const identity = { "x-mcp-color": config.color, "x-mcp-version": config.version };
  const keepAlive = { "keep-alive": `timeout=${Math.floor(config.keepAliveTimeout / 1000)}` };
  const guard = createGuard(config, new Set([MCP_PATH, ...(authorization?.metadataPaths ?? [])]));

  const unread = new UnreadAnswers();

  const readRest = (request: IncomingMessage) =>
    discard(request, DISCARD_FACTOR * config.maxBodyBytes, timeouts.discard);

  async function serve(request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean): Promise<void> {
    const current = connections.begin(request.socket);
    if (current === undefined) return;
    response.once("close", current.done);

    const writeHead: WriteHead = (status, headers) => {
      const isLast = headers.connection === "close" || mustEnd(request, response, current);
      if (isLast) current.isLast();
      response.writeHead(status, { ...headers, ...identity, ...(isLast ? { connection: "close" } : keepAlive) });
    };

    try {
      await answer(request, response, { current, writeHead, awaitsContinue });
    } catch (error) {
      if (response.destroyed) return; // The client went away; nobody is left to answer.
      if (error instanceof HttpError) {
        logger.debug({ status: error.status, code: error.code, reason: error.message }, "refused");
        await refuse(request, response, error, { writeHead, awaitsContinue });
        return;
      }
      logger.error({ err: error }, "a request failed");
      if (response.headersSent) response.destroy();
      else await refuse(request, response, new HttpError(500, -32603, "Internal error"), { writeHead, awaitsContinue });
    }
  }

  /** Whether no request may follow on this connection. */
  function mustEnd(request: IncomingMessage, response: ServerResponse, { isNewest, isStream }: Exchange): boolean {
    if (!response.shouldKeepAlive || request.httpVersion === "1.0") return true;
    // A stream keeps its connection until the drain. After an incomplete body there is no next
    // request.
    return isStream() || !request.complete || (isNewest() && connections.mustEnd(request.socket));
  }

  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    { current, writeHead, awaitsContinue }: Answering & { readonly current: Exchange },
  ): Promise<void> {
    const target = readTarget(request);
    guard(target, request.headers.origin);
    if (authorization !== undefined && target.path !== MCP_PATH) {
      if (request.method !== "GET" && request.method !== "HEAD") throw notAllowed("GET", "HEAD");
      await readRest(request);
      answerMetadata(response, authorization.metadata, writeHead);
      return;
    }
    const authInfo = await authorization?.authenticate(request);
    if (request.method !== "POST") throw notAllowed("POST");
    if (awaitsContinue) response.writeContinue();
    const share = bodies.share(clientOf(authInfo, request.socket.remoteAddress));
    response.once("close", share.release);
    const text = await readBody(request, { maxBytes: config.maxBodyBytes, share }).catch((error: unknown) => {
      share.release();
      throw error;
    });
    current.arrived();
    if (!admission.tryStart()) throw tryAgainLater("This server has more calls than it can answer in time");
    const parsedBody = parseJson(text);
    checkIds(parsedBody);
    const isStream = isObject(parsedBody) && parsedBody.method === "subscriptions/listen";
    if (isStream) {
      if (text.length > MAX_STREAM_REQUEST) {
        const most = `the request for a stream may have at most ${MAX_STREAM_REQUEST} characters`;
        throw new HttpError(413, REFUSED, `Request too large: ${most}`);
      }
      // The budget is for calls, and a stream lives for minutes.
      share.release();
      current.becomesStream();
      endAtExpiry(response, authInfo);
    }
    const options = { parsedBody, ...(authInfo === undefined ? {} : { authInfo }) };
    const handle = (web: Request) => handler.fetch(rememberCalledTool(web, parsedBody), options);
    await exchange(request, target, response, handle, { writeHead, isStream, unread });
    current.answered();
    // Not when the client has read the answer: it may be slow.
    share.release();
  }

  /**
   * Answers a refused request. The rest of its body is read first, within limits, so that the
   * connection stays usable. Beyond the limits the answer ends the connection, and reading
   * continues within limits, so that a client that is still writing receives the answer.
   */
  async function refuse(
    request: IncomingMessage,
    response: ServerResponse,
    refusal: HttpError,
    { writeHead, awaitsContinue }: Answering,
  ): Promise<void> {
    // Such a client sends its body only after permission.
    if (!awaitsContinue) await readRest(request);
    if (response.destroyed || response.headersSent) return;
    if (request.complete) writeRefusal(response, refusal, writeHead);
    else {
      writeRefusal(response, refusal, writeHead, () => request.socket.end());
      await readRest(request);
    }
    response.end();
  }

  const server = createHttpServer({
    timeouts,
    headers: identity,
    serve: (...incoming) => {
      void serve(...incoming);
    },
  });
  server.on("connection", (socket) => {
    connections.add(socket);
  });
  // Fires without traffic in both directions, which is normal during a call.
  server.setTimeout(timeouts.response, (socket) => {
    if (socket.writableLength > 0 || connections.isIdle(socket)) socket.destroy();
  });
  return server;
}

interface Answering {
  readonly writeHead: WriteHead;
  /** The client sends its body only after a 100 response. */
  readonly awaitsContinue: boolean;
}

function notAllowed(...allowed: readonly [string, ...string[]]): HttpError {
  return new HttpError(405, REFUSED, `Method not allowed: only ${allowed.join(" and ")}`, {
    headers: { allow: allowed.join(", ") },
  });
}

function answerMetadata(response: ServerResponse, text: string, writeHead: WriteHead): void {
  writeHead(200, { "content-type": "application/json", "content-length": String(Buffer.byteLength(text)) });
  response.end(text);
}

/** Longest delay of a timer in milliseconds, about 25 days. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Ends a stream when its token expires. The client opens another with a new token. */
function endAtExpiry(response: ServerResponse, authInfo: AuthInfo | undefined): void {
  if (authInfo?.expiresAt === undefined) return;
  const left = Math.min(authInfo.expiresAt * 1000 - Date.now(), LONGEST_TIMER);
  const timer = setTimeout(() => response.destroy(), left);
  response.once("close", () => {
    clearTimeout(timer);
  });
}
