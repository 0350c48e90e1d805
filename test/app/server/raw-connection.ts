import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A connection on which a test sends exactly the bytes it wants to. */
export interface RawConnection {
  readonly socket: Socket;
  /** Everything that came back, until now. */
  readonly received: string;
  /** Resolves once the other side has closed it, or reset it. */
  readonly closed: Promise<undefined>;
  /** Resolves once more has come back, or the connection is closed. */
  more(): Promise<void>;
  /** Resolves once what came back has this in it. */
  until(text: string): Promise<void>;
}

/**
 * The client keeps its own side open when the server has closed its side, as an attacker would.
 *
 * @param localAddress one of 127.0.0.0/8, each of which has ports of its own
 */
export async function openHalf(port: number, localAddress?: string): Promise<RawConnection> {
  return open(port, localAddress, true);
}

/** @param localAddress one of 127.0.0.0/8, each of which has ports of its own */
export async function openRaw(port: number, localAddress?: string): Promise<RawConnection> {
  return open(port, localAddress, false);
}

async function open(port: number, localAddress = "127.0.0.1", allowHalfOpen: boolean): Promise<RawConnection> {
  const socket = connect({ port, host: "127.0.0.1", localAddress, allowHalfOpen });
  let received = "";
  socket.on("data", (chunk) => (received += chunk.toString("latin1")));
  // A reset is one of the ways in which the other side closes.
  socket.on("error", () => undefined);
  const { promise: closed, resolve } = Promise.withResolvers<undefined>();
  socket.once("close", () => {
    resolve(undefined);
  });
  await once(socket, "connect");
  return {
    socket,
    get received() {
      return received;
    },
    closed,
    async more() {
      await Promise.race([once(socket, "data"), closed]);
    },
    async until(text) {
      while (!received.includes(text)) await once(socket, "data");
    },
  };
}

/** A request with this body, as bytes. */
export function post(body: string | Buffer, headers: Readonly<Record<string, string>> = {}): Buffer {
  const lines = [
    "POST /mcp HTTP/1.1",
    "host: localhost",
    "content-type: application/json",
    "accept: application/json, text/event-stream",
    `content-length: ${Buffer.byteLength(body)}`,
    ...Object.entries(headers).map((pair) => pair.join(": ")),
  ];
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), Buffer.from(body)]);
}

export const call = (name: string, id: unknown = 1): string =>
  JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params: { name, arguments: {} } });
