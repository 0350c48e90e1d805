import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type Respond = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** What an upstream was asked. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A server on this machine for tools to call; how it answers can change while calls are under way. */
export interface TestUpstream {
  /** Such as `http://127.0.0.1:8080`. */
  readonly origin: string;
  readonly port: number;
  readonly asked: readonly Asked[];
  /** TCP connections so far. */
  readonly connections: number;
  answerWith(respond: Respond): void;
  close(): Promise<void>;
}

const echo: Respond = (request, response, body) => {
  response.writeHead(200, { "content-type": "application/json" });
  response.end(request.method === "HEAD" ? undefined : JSON.stringify({ path: request.url, body }));
};

/** @param at - where it listens; on a free port of 127.0.0.1 without it */
export async function startUpstream(
  first: Respond = echo,
  at: { readonly host: string; readonly port: number } = { host: "127.0.0.1", port: 0 },
): Promise<TestUpstream> {
  let respond = first;
  let connections = 0;
  const asked: Asked[] = [];
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      asked.push({ method: request.method ?? "", path: request.url ?? "", headers: request.headers, body });
      respond(request, response, body);
    });
  });
  server.on("connection", () => (connections += 1));
  await once(server.listen(at), "listening");
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://${at.host}:${port}`,
    port,
    asked,
    get connections() {
      return connections;
    },
    answerWith(next) {
      respond = next;
    },
    async close() {
      server.closeAllConnections();
      await once(server.close(), "close");
    },
  };
}
