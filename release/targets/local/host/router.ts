import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** Somewhere that a connection can go. */
export interface Backend {
  readonly port: number;
}

/**
 * Connects clients to backends as a Kubernetes Service does, by connection: whoever is connected stays with its backend until
 * one of the two ends it, and a change of backends is seen by new connections alone.
 */
export class Router {
  readonly #server: Server;
  readonly #open = new Map<Socket, Socket>();
  #turn = 0;

  private constructor(backends: () => readonly Backend[]) {
    this.#server = createServer({ noDelay: true, keepAlive: true, allowHalfOpen: true }, (client) => {
      const choices = backends();
      const backend = choices[this.#turn++ % Math.max(1, choices.length)];
      // As kube-proxy does without endpoints: refused at once, never left waiting.
      if (backend === undefined) client.resetAndDestroy();
      else this.#join(client, backend);
    });
  }

  /**
   * @param port 0 for any free one
   * @throws the `listen` error, with code EADDRINUSE when the port is taken
   */
  static async listen(port: number, backends: () => readonly Backend[]): Promise<Router> {
    const router = new Router(backends);
    router.#server.listen(port, "127.0.0.1");
    await once(router.#server, "listening");
    return router;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/mcp`;
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const [client, upstream] of this.#open) {
      client.destroy();
      upstream.destroy();
    }
    await once(this.#server, "close");
  }

  #join(client: Socket, { port }: Backend): void {
    const upstream = connect({ port, host: "127.0.0.1", noDelay: true, keepAlive: true, allowHalfOpen: true });
    this.#open.set(client, upstream);
    client.pipe(upstream);
    upstream.pipe(client);
    client.once("close", () => {
      this.#open.delete(client);
      upstream.destroy();
    });
    // What the backend said before it closed may still be on its way to a slow client.
    upstream.once("close", () => {
      client.destroySoon();
    });
    client.on("error", () => upstream.destroy());
    // What the backend does to its side, the client sees on its own.
    upstream.on("error", () => client.resetAndDestroy());
  }
}
