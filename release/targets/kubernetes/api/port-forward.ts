import { Duplex } from "node:stream";
import type { IncomingMessage } from "node:http";
import { WebSocket } from "ws";
import { errorOf, line } from "./answer.ts";
import { ApiError } from "./api-error.ts";
import type { Connection } from "./connection.ts";
import { dial } from "./dial.ts";

const PROTOCOL = "v4.channel.k8s.io";
const DATA = 0;
const ERROR = 1;
const MAX_MESSAGE = 4 << 20;
const MAX_REFUSAL = 64 << 10;

/** RFC 6455, 7.4.1: a normal end, with a code or without one. A connection that was cut has 1006. */
const NORMAL_ENDS = [1000, 1005];

/** The pod refused or broke a forwarded connection. This says something about the pod and nothing about the API. */
export class PodConnectionError extends Error {
  override readonly name = "PodConnectionError";
}

/**
 * Opens a connection to a port of a pod. It needs the right to `get` pods/portforward.
 *
 * Each message begins with its channel: 0 is data, 1 is an error in words. The first message of each channel is the port, in
 * two bytes.
 *
 * The node of the pod is at the other end of the WebSocket. A pod that ends its connection, is killed or is deleted leads to a
 * normal close; a pod that resets it, or has no process on the port, leads to an error on channel 1 before that. Any other end
 * comes from the API server or the way to it: ApiError `unreachable`.
 *
 * @see https://github.com/kubernetes/kubelet/blob/v0.34.0/pkg/cri/streaming/portforward/websocket.go
 */
export async function openForward(
  what: string,
  connection: Connection,
  path: string,
  signal: AbortSignal,
): Promise<Duplex> {
  const socket = await dial(connection, signal);
  const { server, headers } = connection;
  const scheme = server.protocol === "https:" ? "wss:" : "ws:";
  const url = `${scheme}//${server.host}${server.pathname.replace(/\/$/, "")}${path}`;
  const websocket = new WebSocket(url, PROTOCOL, {
    createConnection: () => socket,
    // The type knows no header of several lines; Node writes them.
    headers: headers as Record<string, string>,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE,
    followRedirects: false,
  });
  return await new Promise<Duplex>((resolve, reject) => {
    const abort = () => {
      fail(signal.reason as Error);
    };
    const fail = (error: Error) => {
      signal.removeEventListener("abort", abort);
      reject(error);
      websocket.on("error", () => undefined);
      websocket.terminate();
      socket.destroy();
    };
    signal.addEventListener("abort", abort, { once: true });
    websocket.once("error", fail);
    websocket.once("unexpected-response", (_, response: IncomingMessage) => {
      refusal(what, response).then(fail, fail);
    });
    websocket.once("open", () => {
      signal.removeEventListener("abort", abort);
      websocket.off("error", fail);
      // At once: the first messages may have arrived with the answer.
      resolve(new ForwardedConnection(what, websocket));
    });
  });
}

async function refusal(what: string, response: IncomingMessage): Promise<ApiError> {
  let text = "";
  for await (const chunk of response.setEncoding("utf8") as AsyncIterable<string>) {
    text += chunk;
    if (text.length > MAX_REFUSAL) break;
  }
  return errorOf(what, { code: response.statusCode ?? 0, retryAfter: response.headers["retry-after"], text });
}

/**
 * A stream over a WebSocket, with backpressure in both directions.
 *
 * The protocol cannot tell the pod that no more data comes. After `end()` the pod's answer still arrives; the pod sees the end
 * when the stream closes.
 */
class ForwardedConnection extends Duplex {
  readonly #what: string;
  readonly #websocket: WebSocket;
  readonly #begun = new Set<number>();

  constructor(what: string, websocket: WebSocket) {
    super({ allowHalfOpen: true });
    this.#what = what;
    this.#websocket = websocket;
    // Until somebody reads: an error that came before somebody listens would end the process.
    websocket.pause();
    websocket.on("message", (data: Buffer) => {
      this.#receive(data);
    });
    websocket.on("error", (error) => {
      this.destroy(cut(what, error.message));
    });
    websocket.on("close", (code: number) => {
      if (!NORMAL_ENDS.includes(code)) {
        this.destroy(cut(what, `WebSocket close code ${code}`));
        return;
      }
      this.push(null);
      // Nothing that is written from now on would arrive.
      if (!this.writableEnded) this.end();
    });
  }

  #receive(message: Buffer): void {
    const channel = message[0] ?? -1;
    if (!this.#begun.has(channel)) {
      this.#begun.add(channel);
      if (message.length > 3) this.#take(channel, message.subarray(3));
      return;
    }
    this.#take(channel, message.subarray(1));
  }

  #take(channel: number, data: Buffer): void {
    if (channel === ERROR) {
      if (data.length > 0) this.destroy(new PodConnectionError(line(`could not ${this.#what}: ${data.toString()}`)));
    } else if (channel === DATA && data.length > 0 && !this.push(data)) {
      this.#websocket.pause();
    }
  }

  override _read(): void {
    if (this.#websocket.isPaused) this.#websocket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#websocket.readyState !== WebSocket.OPEN) {
      done(new PodConnectionError(`could not ${this.#what}: the pod has closed the connection`));
      return;
    }
    const message = Buffer.allocUnsafe(chunk.length + 1);
    message[0] = DATA;
    chunk.copy(message, 1);
    this.#websocket.send(message, { binary: true }, done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#websocket.terminate();
    done(error);
  }
}

const cut = (what: string, why: string) =>
  new ApiError("unreachable", line(`could not ${what}: the connection to the API server was cut: ${why}`));
