import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { answerBroken, brokenStatus, closeSoon } from "./broken-http.ts";
import { HttpError, REFUSED } from "../errors/http-error.ts";
import { writeRefusal, type WriteHead } from "./refusal.ts";

/** Milliseconds that a client may take; then its connection is closed. */
export interface Timeouts {
  /** For a request's headers to arrive. */
  readonly headers: number;
  /** For the whole request to arrive. */
  readonly request: number;
  /** Without reading a byte of a response that waits. */
  readonly response: number;
  /**
   * Without a request. Above the 60 s after which common load balancers drop an idle connection:
   * the side that closes first risks a request under way.
   */
  readonly idle: number;
  /** For the rest of a body that is not used. */
  readonly discard: number;
}

export const TIMEOUTS: Timeouts = { headers: 10_000, request: 30_000, response: 30_000, idle: 75_000, discard: 2000 };

/**
 * Milliseconds between checks for requests that take too long. Node's own default would let them
 * take 30 s longer.
 */
const CHECK_INTERVAL = 1000;

export interface HttpServerOptions {
  readonly timeouts: Timeouts;
  /** Headers of the answers to bytes that are not HTTP. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Answers a request. `awaitsContinue`: its client sends the body only after
   * `response.writeContinue()`.
   */
  readonly serve: (request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean) => void;
}

/**
 * Node's HTTP server, with an end to every connection: bytes that are not HTTP, or come too late,
 * are answered, in their turn, and the socket is destroyed soon after, whether its client closes
 * its own side or not.
 */
export function createHttpServer({ timeouts, headers, serve }: HttpServerOptions): Server {
  const newest = new WeakMap<Duplex, { readonly request: IncomingMessage; readonly response: ServerResponse }>();
  const server = createServer({
    headersTimeout: timeouts.headers,
    requestTimeout: timeouts.request,
    keepAliveTimeout: timeouts.idle,
    connectionsCheckingInterval: Math.min(CHECK_INTERVAL, timeouts.headers),
    // Checked with the rest of the head, by `readTarget`.
    requireHostHeader: false,
  });

  const answer = (awaitsContinue: boolean) => (request: IncomingMessage, response: ServerResponse) => {
    newest.set(request.socket, { request, response });
    serve(request, response, awaitsContinue);
  };
  server.on("request", answer(false));
  server.on("checkContinue", answer(true));
  // Other expectations are ignored; Node's own refusal would keep a connection that has to end.
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
    // Node ends its own side only where the parser is sound.
    socket.once("end", () => socket.destroy());
    const status = brokenStatus(error);
    const { request, response } = newest.get(socket) ?? {};
    if (request === undefined || response === undefined || response.writableFinished) {
      answerBroken(socket, status, headers, timeouts.discard);
    } else if (request.complete) {
      // The broken bytes follow this request: its answer goes first.
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
