import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { answerBroken, brokenStatus, closeSoon } from "./broken-http.ts";
import { HttpError, REFUSED } from "../errors/http-error.ts";
import { writeRefusal, type WriteHead } from "./refusal.ts";

/** Time limits for a client in milliseconds. Its connection is then closed. */
export interface Timeouts {
  readonly headers: number;
  readonly request: number;
  /** Without reading any byte of a waiting response. */
  readonly response: number;
  /**
   * Between requests. Above the 60 s after which common load balancers drop an idle connection: the
   * side that closes first may lose a request in flight.
   */
  readonly idle: number;
  /** For the rest of an unused body. */
  readonly discard: number;
}

export const TIMEOUTS: Timeouts = { headers: 10_000, request: 30_000, response: 30_000, idle: 75_000, discard: 2000 };

/** Milliseconds between checks of these limits. Node's default would exceed them by 30 s. */
const CHECK_INTERVAL = 1000;

export interface HttpServerOptions {
  readonly timeouts: Timeouts;
  /** Headers of answers to invalid HTTP. */
  readonly headers: Readonly<Record<string, string>>;
  /** Answers a request. `awaitsContinue`: the body comes after `response.writeContinue()`. */
  readonly serve: (request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean) => void;
}

/**
 * Node's HTTP server, with an end to every connection: invalid or late bytes are answered in order,
 * and the socket is destroyed soon after, even if the client keeps its side open.
 */
export function createHttpServer({ timeouts, headers, serve }: HttpServerOptions): Server {
  const newest = new WeakMap<Duplex, { readonly request: IncomingMessage; readonly response: ServerResponse }>();
  const server = createServer({
    headersTimeout: timeouts.headers,
    requestTimeout: timeouts.request,
    keepAliveTimeout: timeouts.idle,
    connectionsCheckingInterval: Math.min(CHECK_INTERVAL, timeouts.headers),
    // `readTarget` checks it.
    requireHostHeader: false,
  });

  const answer = (awaitsContinue: boolean) => (request: IncomingMessage, response: ServerResponse) => {
    newest.set(request.socket, { request, response });
    serve(request, response, awaitsContinue);
  };
  server.on("request", answer(false));
  server.on("checkContinue", answer(true));
  // Other expectations are ignored, because Node's refusal would keep the connection open.
  server.on("checkExpectation", answer(false));
  server.on("connect", (_request, socket) => {
    answerBroken(socket, "501 Not Implemented", headers, timeouts.discard);
  });
  const broken = new WeakSet<Duplex>();
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (error.code === "ECONNRESET") {
      socket.destroy();
      return;
    }
    // The parser repeats its error for each packet.
    if (broken.has(socket)) return;
    broken.add(socket);
    // After a parser error, Node does not end its own side.
    socket.once("end", () => socket.destroy());
    const status = brokenStatus(error);
    const { request, response } = newest.get(socket) ?? {};
    if (request === undefined || response === undefined || response.writableFinished) {
      answerBroken(socket, status, headers, timeouts.discard);
    } else if (request.complete) {
      // The invalid bytes follow this request: its answer goes first.
      response.once("finish", () => {
        answerBroken(socket, status, headers, timeouts.discard);
      });
    } else if (response.headersSent) {
      socket.destroy();
    } else {
      const refusal = new HttpError(Number(status.slice(0, 3)), REFUSED, status.slice(4));
      const writeHead: WriteHead = (code, own) => {
        response.writeHead(code, { ...own, ...headers, connection: "close" });
      };
      writeRefusal(response, refusal, writeHead, () => socket.end());
      closeSoon(socket, timeouts.discard);
    }
  });
  return server;
}
