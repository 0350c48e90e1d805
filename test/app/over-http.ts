import { request as httpRequest, type Agent } from "node:http";
import type { Socket } from "node:net";
import { Readable } from "node:stream";

/**
 * A `fetch` over node:http, so that a test decides by its agent which calls share a connection, and sees which one each call used.
 */
export function overHttp(agent: Agent, onSocket: (socket: Socket) => void = () => undefined): typeof fetch {
  return (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const request = httpRequest(
      url,
      {
        agent,
        method: init?.method ?? "GET",
        headers: Object.fromEntries(new Headers(init?.headers)),
        ...(init?.signal ? { signal: init.signal } : {}),
      },
      (response) => {
        const headers = Object.entries(response.headers).map(([name, value]): [string, string] => [
          name,
          String(value),
        ]);
        const body = Readable.toWeb(response) as ReadableStream<Uint8Array>;
        resolve(new Response(body, { status: response.statusCode ?? 0, headers }));
      },
    );
    request.once("socket", onSocket).once("error", reject);
    request.end(typeof init?.body === "string" ? init.body : undefined);
    return promise;
  };
}
