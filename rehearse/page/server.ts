import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Recording } from "../record/recording.ts";
import { clientBundle } from "./bundle.ts";
import { htmlDocument } from "./document.ts";

export interface Page {
  readonly url: string;
  close(): Promise<void>;
}

/** Nothing but what this server itself serves, and nobody may frame it. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/**
 * Serves the page on 127.0.0.1, and what happens as server-sent events: first all that has happened, then the rest as it does.
 *
 * @param port 0 for any free one
 * @throws the `listen` error, with code EADDRINUSE when the port is taken
 */
export async function servePage(recording: Recording, port: number, title = "A release, rehearsed"): Promise<Page> {
  const { script, style } = await clientBundle();
  const page = htmlDocument({
    title,
    bodyClass: "live",
    head: `<link rel="stylesheet" href="style.css">`,
    tail: `<script src="client.js"></script>`,
  });
  const files: Readonly<Record<string, readonly [type: string, content: string]>> = {
    "/": ["text/html; charset=utf-8", page],
    "/client.js": ["text/javascript; charset=utf-8", script],
    "/style.css": ["text/css; charset=utf-8", style],
  };

  const server = createServer((request, response) => {
    response.setHeader("content-security-policy", POLICY);
    response.setHeader("x-content-type-options", "nosniff");
    response.setHeader("referrer-policy", "no-referrer");
    response.setHeader("cache-control", "no-store");
    const { pathname } = new URL(request.url ?? "/", "http://page");
    const file = files[pathname];
    if (!isLocal(request)) respond(response, 403, "this page is for this machine alone");
    else if (request.method !== "GET") respond(response, 405, "only GET");
    else if (pathname === "/events") follow(recording, request, response);
    else if (file !== undefined) response.writeHead(200, { "content-type": file[0] }).end(file[1]);
    else respond(response, 404, "no such page");
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

function follow(recording: Recording, request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const send = (moment: unknown): void => {
    response.write(`data: ${JSON.stringify(moment)}\n\n`);
  };
  recording.moments.forEach(send);
  request.once("close", recording.follow(send));
}

/** A web site elsewhere can point its own name at 127.0.0.1; it cannot make a browser send ours. */
function isLocal({ headers }: IncomingMessage): boolean {
  return /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(headers.host ?? "");
}

function respond(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(`${text}\n`);
}
