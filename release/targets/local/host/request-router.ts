import { once } from "node:events";
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Environment } from "../../../../environment/environment.ts";
import type { Backend, Route } from "./router.ts";

export interface RequestRouterOptions {
  /** 0 for any free one. */
  readonly port: number;
  /** The path of the MCP endpoint, for the URL. */
  readonly path: string;
  readonly backends: () => readonly Backend[];
}

/** Whether the live route of an environment chooses a color for each request, and not for each connection. */
export const isRoutedByRequest = ({ server, ingress }: Pick<Environment, "server" | "ingress">): boolean =>
  server.connections === "kept" || ingress !== undefined;

/** These are about one connection, and there are two of them. */
const OF_ONE_CONNECTION = ["connection", "keep-alive", "proxy-connection", "te", "upgrade"];

/**
 * Chooses a backend for each request, as an Ingress controller does. So clients that keep their
 * connection follow a change of backends with their next request, although the servers behind never
 * end a connection.
 *
 * Every answer says in `x-mcp-color` which color it is from, unless the server does so itself. Each
 * request has a connection of its own to its backend: on a kept one, a request and the server's end
 * of the connection may cross.
 */
export class RequestRouter implements Route {
  readonly #server: Server;
  readonly #path: string;
  #turn = 0;

  private constructor(server: Server, path: string) {
    this.#server = server;
    this.#path = path;
  }

  /** @throws the `listen` error, with code EADDRINUSE when the port is taken */
  static async listen({ port, path, backends }: RequestRouterOptions): Promise<RequestRouter> {
    // Clients keep their connections for as long as they want; a stream of events has no end.
    const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, noDelay: true });
    const router = new RequestRouter(server, path);
    server.on("request", (incoming: IncomingMessage, outgoing: ServerResponse) => {
      const choices = backends();
      const backend = choices[router.#turn++ % Math.max(1, choices.length)];
      // As an Ingress without endpoints does.
      if (backend === undefined)
        outgoing.writeHead(503, { "retry-after": "1" }).end("no process of this color is ready");
      else forward(incoming, outgoing, backend);
    });
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return router;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${this.#path}`;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }
}

function forward(incoming: IncomingMessage, outgoing: ServerResponse, { port, color, underWay }: Backend): void {
  // A stream that a client opened with GET ends with its server, and nobody waits for that.
  const ended = incoming.method === "GET" ? undefined : underWay?.begin();
  const upstream = request({
    host: "127.0.0.1",
    port,
    method: incoming.method,
    path: incoming.url,
    headers: passedOn(incoming),
    agent: false,
  });
  upstream.setNoDelay(true);
  upstream.once("response", (answer) => {
    const headers = passedOn(answer);
    const named = answer.headers["x-mcp-color"] !== undefined;
    if (color !== undefined && !named) headers.push("x-mcp-color", color);
    outgoing.writeHead(answer.statusCode ?? 502, answer.statusMessage, headers);
    outgoing.flushHeaders();
    answer.pipe(outgoing);
    answer.once("error", () => outgoing.destroy());
  });
  upstream.once("error", (error) => {
    // The client, too, sees an answer that breaks.
    if (outgoing.headersSent) outgoing.destroy();
    else outgoing.writeHead(502, { "content-type": "text/plain" }).end(`the server did not answer: ${error.message}`);
  });
  outgoing.once("close", () => {
    ended?.();
    upstream.destroy();
  });
  incoming.pipe(upstream);
}

/** Header lines as they came, names and values in turn. */
function passedOn({ rawHeaders }: IncomingMessage): string[] {
  return rawHeaders.filter(
    (_, index) => !OF_ONE_CONNECTION.includes((rawHeaders[index - (index % 2)] ?? "").toLowerCase()),
  );
}
