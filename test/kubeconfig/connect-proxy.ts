import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer, type ServerOptions } from "node:https";
import { connect, type AddressInfo } from "node:net";
import type { Duplex } from "node:stream";

/** An HTTP proxy that records to where it was asked to connect. Every name is this machine to it. */
export class ConnectProxy {
  readonly asked: string[] = [];
  readonly #server: Server | TlsServer;
  readonly #sockets = new Set<Duplex>();

  private constructor(server: Server | TlsServer) {
    this.#server = server;
  }

  /** @param tls @default - HTTP */
  static async start(tls?: ServerOptions): Promise<ConnectProxy> {
    const proxy = new ConnectProxy(tls === undefined ? createServer() : createTlsServer(tls));
    proxy.#server.on("connect", (request: IncomingMessage, client: Duplex) => {
      proxy.#connect(request.url ?? "", request.headers["proxy-authorization"], client);
    });
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #connect(target: string, credentials: string | undefined, client: Duplex): void {
    this.asked.push(credentials === undefined ? target : `${target} by ${credentials}`);
    const server = connect(Number(target.slice(target.lastIndexOf(":") + 1)), "127.0.0.1");
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on("error", () => {
        client.destroy();
        server.destroy();
      });
    }
    client.write("HTTP/1.1 200 Connection established\r\n\r\n");
    client.pipe(server).pipe(client);
  }
}
