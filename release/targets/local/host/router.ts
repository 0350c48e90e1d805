import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { Color } from "../../../../environment/color.ts";
import type { UnderWay } from "./under-way.ts";

/** Somewhere that a connection or a request can go. */
export interface Backend {
  readonly port: number;
  /** For routers that see requests. */
  readonly color?: Color;
  readonly underWay?: UnderWay;
}

/** Where clients connect. */
export interface Route {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Connects clients to backends as a Kubernetes Service does, by connection: whoever is connected
 * stays with its backend until one of the two ends it, and a change of backends is seen by new
 * connections alone.
 */
export class Router implements Route {
  readonly #server: Server;
  readonly #open = new Map<Socket, Socket>();
  #turn = 0;

  readonly #path: string;

  private constructor(backends: () => readonly Backend[], path: string) {
    this.#path = path;
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
   * @param path of the MCP endpoint, for the URL
   * @throws the `listen` error, with code EADDRINUSE when the port is taken
   */
  static async listen(port: number, backends: () => readonly Backend[], path = "/mcp"): Promise<Router> {
    const router = new Router(backends, path);
    router.#server.listen(port, "127.0.0.1");
    await once(router.#server, "listening");
    return router;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${this.#path}`;
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
