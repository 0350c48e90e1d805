import { once } from "node:events";
import { createServer as createHttpServer, Agent, type Server } from "node:http";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import { Router } from "../../../release/targets/local/host/router.ts";
import { call } from "./calls.ts";

const open: { close: () => unknown }[] = [];

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function backend(color: string): Promise<{ port: number; server: Server }> {
  const server = createHttpServer((_, response) => {
    response.setHeader("x-mcp-color", color).end('{"jsonrpc":"2.0"}');
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  open.push({
    close() {
      server.close().closeAllConnections();
    },
  });
  return { port: (server.address() as AddressInfo).port, server };
}

async function route(backends: () => readonly { port: number }[]): Promise<Router> {
  const router = await Router.listen(0, backends);
  open.push(router);
  return router;
}

const colors = async (url: string, count: number, agent?: Agent) => {
  const answers: string[] = [];
  for (let index = 0; index < count; index += 1) answers.push((await call(url, agent)).color);
  return answers;
};

describe("the router", () => {
  it("gives each connection to the next backend in turn", async () => {
    const backends = [await backend("one"), await backend("two")];
    const { url } = await route(() => backends);

    expect(await colors(url, 4)).toEqual(["one", "two", "one", "two"]);
  });

  it("sends new connections to the new backends at once, while kept ones stay with theirs until those end them", async () => {
    const blue = await backend("blue");
    const green = await backend("green");
    let live = [blue];
    const { url } = await route(() => live);
    const kept = new Agent({ keepAlive: true, maxSockets: 1 });
    expect(await colors(url, 1, kept)).toEqual(["blue"]);
    live = [green];

    expect(await colors(url, 3)).toEqual(["green", "green", "green"]);
    expect(await colors(url, 3, kept)).toEqual(["blue", "blue", "blue"]);
    const [socket] = Object.values(kept.freeSockets).flatMap((sockets) => sockets ?? []);
    const ended = once(socket ?? kept, "close");
    blue.server.closeAllConnections();
    await ended;
    expect(await colors(url, 1, kept)).toEqual(["green"]);
    kept.destroy();
  });

  it("refuses at once when no backend is ready", async () => {
    const { url } = await route(() => []);
    const start = performance.now();

    await expect(call(url)).rejects.toThrow("ECONNRESET");
    expect(performance.now() - start).toBeLessThan(500);
  });

  it("resets a client whose backend cannot be reached", async () => {
    const { url } = await route(() => [{ port: 1 }]);

    await expect(call(url)).rejects.toThrow("ECONNRESET");
  });

  it("delivers the whole answer to a slow client that has said all it had to say", async () => {
    const body = Buffer.alloc(8 * 1024 * 1024, "x");
    const server = createServer({ allowHalfOpen: true }, (socket: Socket) => {
      socket.resume().once("end", () => socket.end(body));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    open.push(server);
    const { url } = await route(() => [{ port: (server.address() as AddressInfo).port }]);
    const client = connect({ port: Number(new URL(url).port), host: "127.0.0.1", allowHalfOpen: true });
    client.end("all of it");
    await once(client, "readable");
    let bytes = 0;
    for await (const chunk of client as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      await new Promise((resolve) => setImmediate(resolve));
    }

    expect(bytes).toBe(body.length);
  });

  it("says which port is in use", async () => {
    const { port } = await backend("one");

    await expect(Router.listen(port, () => [])).rejects.toMatchObject({ code: "EADDRINUSE", port });
  });
});
