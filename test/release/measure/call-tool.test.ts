import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "@jest/globals";
import { callTool } from "../../../release/measure/call-tool.ts";
import { Reach } from "../../../release/measure/reach.ts";
import { MemoryTarget } from "../memory-target.ts";
import { smoke } from "../../../environment/schema/smoke.ts";

describe("a synthetic call", () => {
  it("that no answer came to was counted by the pod, and not as failed", async () => {
    const server = createServer((request, response) => {
      let text = "";
      request.on("data", (chunk: Buffer) => (text += chunk.toString()));
      request.on("end", () => {
        if (request.method !== "POST") return void response.writeHead(405).end();
        const { id, method } = JSON.parse(text) as { id?: number; method: string };
        if (id === undefined) return void response.writeHead(202).end();
        if (method !== "initialize") return;
        const result = {
          protocolVersion: "2025-11-25",
          capabilities: { tools: {} },
          serverInfo: { name: "x", version: "1" },
        };
        response.writeHead(200, { "content-type": "application/json" });
        response.end(JSON.stringify({ jsonrpc: "2.0", id, result }));
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`);
    const endpoint = { url, fetch, pods: 1, close: () => Promise.resolve() };
    const reach = new Reach(endpoint, new MemoryTarget().traffic);
    const call = await callTool(
      reach,
      smoke.parse({ tool: "echo", expect: { text: "x" } }),
      "legacy",
      new AbortController().signal,
    );
    server.closeAllConnections();
    server.close();

    expect(call).toMatchObject({ failed: true, counted: { failed: false } });
    expect(call.ms).toBeGreaterThan(9000);
  }, 30_000);
});
