import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "@jest/globals";
import { Callers } from "../../../rehearse/traffic/callers.ts";
import { smokeQuestion } from "../../../rehearse/traffic/question.ts";

const closing: (() => unknown)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server with sessions in memory, which opens a stream of events for each client that wants one. */
async function serverWithSessions() {
  const sessions = new Set<string>();
  const answer = {
    initialize: { protocolVersion: "2025-06-18", capabilities: { tools: {} }, serverInfo: { name: "s", version: "1" } },
  };
  const server = createServer((request, response) => {
    void (async () => {
      const { id, method } =
        request.method === "POST"
          ? (JSON.parse(await text(request)) as { id?: number; method: string })
          : { method: "" };
      const session = request.headers["mcp-session-id"];
      if (method !== "initialize" && !sessions.has(String(session))) {
        response.writeHead(404, { "content-type": "application/json" });
        return response.end(
          JSON.stringify({ jsonrpc: "2.0", id: null, error: { code: -32001, message: "Session not found" } }),
        );
      }
      if (request.method === "GET") {
        response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
        return undefined;
      }
      if (id === undefined) return response.writeHead(202).end();
      const begun = method === "initialize" ? randomUUID() : undefined;
      if (begun !== undefined) sessions.add(begun);
      const result =
        begun === undefined ? { tools: [{ name: "ping", inputSchema: { type: "object" } }] } : answer.initialize;
      response.writeHead(200, {
        "content-type": "application/json",
        ...(begun !== undefined && { "mcp-session-id": begun }),
      });
      return response.end(JSON.stringify({ jsonrpc: "2.0", id, result }));
    })();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => {
    server.close().closeAllConnections();
  });
  return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`), sessions };
}

describe("clients of a server with sessions in memory", () => {
  it.each(["kept", "fresh"] as const)(
    "begin another session when the server no longer knows theirs, and lose no call (%s connections)",
    async (connection) => {
      const { url, sessions } = await serverWithSessions();
      const stop = new AbortController();
      const seen = { answered: 0, failed: [] as unknown[], sessionsEnded: 0 };
      const { promise: half, resolve: atHalf } = Promise.withResolvers<undefined>();
      const callers = new Callers({
        url,
        connection,
        era: "legacy",
        least: 1,
        most: 1,
        line: 10,
        signal: stop.signal,
        next: () => smokeQuestion(undefined),
        sampler: {
          answered: () => {
            seen.answered += 1;
            if (seen.answered === 3) atHalf(undefined);
            if (seen.answered === 6) stop.abort();
          },
          failed: (call) => {
            seen.failed.push(call);
            stop.abort();
          },
          dropped: () => undefined,
          sessionEnded: () => (seen.sessionsEnded += 1),
        },
      });
      await callers.open();
      for (let call = 0; call < 3; call++) callers.arrive(performance.now());
      await half;
      // The other color takes over.
      sessions.clear();
      for (let call = 0; call < 3; call++) callers.arrive(performance.now());
      await callers.ended();

      expect(seen).toEqual({ answered: 6, failed: [], sessionsEnded: 1 });
    },
  );
});
