import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import { TargetRefused, TargetUnreachable } from "../../../release/errors.ts";
import { HostClient } from "../../../release/targets/local/host-client.ts";

let server: Server;

afterEach(() => {
  server.close();
});

/** A host that gives every request this answer. */
async function hostThatSays(status: number, body: string): Promise<HostClient> {
  server = createServer((_, response) => response.writeHead(status, { connection: "close" }).end(body));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const control = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return new HostClient({ control, token: "t", url: "http://127.0.0.1:1/", pid: 1 });
}

describe("a local host", () => {
  it.each([
    [400, '{"error":"no such request"}', "the local host refused the request: no such request"],
    [401, '{"error":"the token is wrong"}', "the local host refused the request: the token is wrong"],
    [413, '{"error":"too large"}', "the local host refused the request: too large"],
    [200, '{"live":"red"}', "restart it with 'mcp-bluegreen local'"],
  ])("that answers %d refuses, and no release tries again", async (status, body, message) => {
    const host = await hostThatSays(status, body);
    const error: unknown = await host.state().catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(TargetRefused);
    expect((error as Error).message).toContain(message);
  });

  it.each([
    [500, '{"error":"out of files"}', "out of files"],
    [200, "no JSON", "does not answer"],
  ])("that answers %d with a fault of its own is asked again", async (status, body, message) => {
    const host = await hostThatSays(status, body);
    const error: unknown = await host.state().catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(TargetUnreachable);
    expect((error as Error).message).toContain(message);
  });
});
