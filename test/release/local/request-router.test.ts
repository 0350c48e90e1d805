import { once } from "node:events";
import { Agent, createServer, request, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "@jest/globals";
import { RequestRouter } from "../../../release/targets/local/host/request-router.ts";
import type { Backend } from "../../../release/targets/local/host/router.ts";
import { UnderWay } from "../../../release/targets/local/host/under-way.ts";

const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function backend(color: "blue" | "green", listener: RequestListener): Promise<Backend> {
  const server: Server = createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  open.push(() => {
    server.close().closeAllConnections();
  });
  return { port: (server.address() as AddressInfo).port, color, underWay: new UnderWay() };
}

async function route(backends: () => readonly Backend[]): Promise<string> {
  const router = await RequestRouter.listen({ port: 0, path: "/mcp", backends });
  open.push(() => router.close());
  return router.url;
}

async function get(url: string, agent?: Agent): Promise<IncomingMessage> {
  const [answer] = (await once(request(url, { agent }).end(), "response")) as [IncomingMessage];
  return answer;
}

describe("the router of requests", () => {
  it("chooses a backend for each request of one connection, and says which color answered", async () => {
    const answering: RequestListener = (_, response) => response.end("here");
    let live = [await backend("blue", answering)];
    const green = await backend("green", answering);
    const url = await route(() => live);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    open.push(() => {
      agent.destroy();
    });
    const before = await get(url, agent);
    const { localPort } = before.socket;
    await text(before);
    live = [green];
    const after = await get(url, agent);

    expect([before.headers["x-mcp-color"], after.headers["x-mcp-color"]]).toEqual(["blue", "green"]);
    expect(after.socket.localPort).toBe(localPort);
  });

  it("passes on what a client and a server send, and leaves a color that the server names", async () => {
    const url = await route(() => [echo]);
    const echo = await backend("blue", (incoming, outgoing) => {
      void text(incoming).then((body) => {
        const { host, "mcp-session-id": session } = incoming.headers;
        outgoing.writeHead(201, { "x-mcp-color": "green", "set-cookie": ["a=1", "b=2"] });
        outgoing.end(JSON.stringify({ method: incoming.method, url: incoming.url, host, session, body }));
      });
    });
    const response = await fetch(`${url}?a=b`, { method: "POST", body: "hello", headers: { "mcp-session-id": "s" } });

    expect(response.status).toBe(201);
    expect(response.headers.get("x-mcp-color")).toBe("green");
    expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(await response.json()).toEqual({
      method: "POST",
      url: "/mcp?a=b",
      host: new URL(url).host,
      session: "s",
      body: "hello",
    });
  });

  it("passes events on as they come, and ends the server's part when the client leaves", async () => {
    const { promise: leaves, resolve } = Promise.withResolvers<string>();
    const events = await backend("blue", (_, outgoing) => {
      outgoing.writeHead(200, { "content-type": "text/event-stream" }).write("data: 1\n\n");
      outgoing.once("close", () => {
        resolve("left");
      });
    });
    const answer = await get(await route(() => [events]));
    const [chunk] = (await once(answer, "data")) as [Buffer];
    answer.destroy();

    expect(chunk.toString()).toBe("data: 1\n\n");
    expect(await leaves).toBe("left");
  });

  it("breaks an answer that breaks, and says which calls are under way", async () => {
    const breaking = await backend("blue", (_, outgoing) => {
      outgoing.writeHead(200, { "content-length": 100 }).write("half of");
    });
    const url = await route(() => [breaking]);
    const outgoing = request(url, { method: "POST", agent: false }).end("{}");
    const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
    expect(breaking.underWay?.count).toBe(1);
    const idle = breaking.underWay?.idle(10_000);
    const broken = once(answer, "error");
    answer.resume();
    const [end] = open.splice(0, 1);
    await end?.();

    expect((await broken)[0]).toMatchObject({ code: "ECONNRESET" });
    await idle;
    expect(breaking.underWay?.count).toBe(0);
  });

  it("answers 503 if no process is ready, and 502 if it cannot be reached, as an Ingress does", async () => {
    const answers = await Promise.all([fetch(await route(() => [])), fetch(await route(() => [{ port: 1 }]))]);

    expect(answers.map(({ status }) => status)).toEqual([503, 502]);
  });
});
