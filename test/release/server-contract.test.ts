import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "@jest/globals";
import { environment, type EnvironmentInput } from "../../environment/environment.ts";
import { bundledServer } from "../../environment/bundled-server.ts";
import local from "../../environments/local.ts";
import { checkContract } from "../../release/contract/contract.ts";
import { holds } from "../../release/contract/write.ts";
import { TargetUnreachable, UsageError } from "../../release/errors.ts";
import { readCalls } from "../../release/measure/histogram.ts";
import { serve, type Running } from "./local/fixtures/app.ts";
import { MemoryTarget } from "./memory-target.ts";

const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const SMOKE = { tool: "echo", arguments: { text: "a" }, expect: { text: "a" } };

/** An environment of a server that is described so. */
const described = (server: Partial<NonNullable<EnvironmentInput["server"]>> = {}, smoke = true) =>
  environment({
    ...local,
    app: { image: "x", imagePolicy: "any" },
    scaling: { replicas: 1 },
    server: { sessions: "none", ...server },
    release: { ...local.release, smoke: smoke ? SMOKE : undefined },
  });

/** A target whose idle color has two ready pods that answer here. */
function targetOf(port: number): MemoryTarget {
  const target = new MemoryTarget();
  target.colors.green = { image: "new", ready: 2 };
  target.endpoint = () =>
    Promise.resolve({ url: new URL(`http://127.0.0.1:${port}/mcp`), fetch, pods: 2, close: () => Promise.resolve() });
  target.probe.health = undefined;
  target.probe.versions = undefined;
  target.measurements = undefined;
  return target;
}

async function aServer(): Promise<Running> {
  const running = await serve({ version: "2" });
  closers.push(running.close);
  return running;
}

/** A server that answers each JSON-RPC request so; of two pods, by connection. */
async function answering(answer: (method: string, pod: number, headers: IncomingMessage["headers"]) => Answer) {
  let connections = 0;
  const pods = new WeakMap<object, number>();
  const server = createServer((request, response) => {
    void respond(request, response);
  });
  async function respond(request: IncomingMessage, response: ServerResponse) {
    const { method, id } = JSON.parse((await text(request)) || "{}") as { method?: string; id?: number };
    // A client also sends notifications, and may ask for a stream.
    if (method === undefined || id === undefined)
      return void response.writeHead(method === undefined ? 405 : 202).end();
    const { status = 200, headers = {}, result = {} } = answer(method, pods.get(request.socket) ?? 0, request.headers);
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify({ jsonrpc: "2.0", id, result }));
  }
  server.on("connection", (socket) => pods.set(socket, connections++ % 2));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly result?: object;
}

const signal = new AbortController().signal;

async function linesOf(target: MemoryTarget, of = described()) {
  const contract = await checkContract({ target, environment: of, signal });
  return { contract, found: Object.fromEntries(contract.lines.map((line) => [line.what, line])) };
}

describe("the contract of a server", () => {
  it("is kept by one that has all of it", async () => {
    const { mcpPort, adminPort } = await aServer();
    const target = targetOf(mcpPort);
    const { metrics } = bundledServer();
    target.probe.health = () => Promise.resolve({ pods: [{ pod: "a", status: "healthy" }], unread: [] });
    target.probe.versions = () => Promise.resolve({ pods: [{ pod: "a", version: "2" }], unread: [] });
    target.measurements = {
      calls: async () => {
        const scrape = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
        return { pods: new Map([["a", readCalls(scrape, metrics)]]), unread: [] };
      },
    };
    const of = described({
      ports: { admin: 9090 },
      protocolVersions: ["2025-11-25", "2026-07-28"],
      connections: "maxAge",
      metrics,
    });
    const { contract } = await linesOf(target, {
      ...of,
      release: { ...of.release, bake: { ...of.release.bake, maxP95Ms: 100 } },
    });

    expect(contract.lines.filter(({ found }) => found !== "ok").map(({ what }) => what)).toEqual(["stop"]);
    expect(contract).toMatchObject({ color: "green", live: false, pods: 2 });
    expect(holds(contract)).toBe(true);
  });

  it("says what a release does without each part that a server lacks, and holds nevertheless", async () => {
    const { mcpPort } = await aServer();
    const { contract, found } = await linesOf(targetOf(mcpPort), described({}, false));

    for (const what of ["connections", "smoke call", "health", "version", "metrics"]) {
      expect(found[what]).toMatchObject({ found: "lacks", without: expect.stringMatching(/.{20}/) });
    }
    expect(holds(contract)).toBe(true);
  });

  it("finds sessions by their header, and that a second pod does not know them", async () => {
    const port = await answering((method, pod, headers) => {
      if (method === "initialize") {
        return {
          headers: { "mcp-session-id": "s1" },
          result: { protocolVersion: "2025-11-25", capabilities: {}, serverInfo: { name: "x", version: "1" } },
        };
      }
      return pod === 0 || headers["mcp-session-id"] === undefined ? { result: { tools: [] } } : { status: 404 };
    });
    const { contract, found } = await linesOf(targetOf(port));

    expect(found.sessions).toMatchObject({
      found: "wrong",
      evidence: expect.stringMatching(
        /mcp-session-id header; [1-9]\d* of 4 calls on other connections were not recognized/,
      ),
      without: expect.stringContaining("FASTMCP_STATELESS_HTTP=true"),
    });
    expect(holds(contract)).toBe(false);
    const { found: declared } = await linesOf(
      targetOf(port),
      environment({
        ...local,
        app: { image: "x", imagePolicy: "any" },
        scaling: { replicas: 1 },
        server: { sessions: "memory" },
      }),
    );
    expect(declared.sessions).toMatchObject({
      found: "lacks",
      without: expect.stringContaining("a switch ends every session"),
    });
  });

  it("names a protocol version that the server answers with another one, and an empty list of tools", async () => {
    const port = await answering((method) =>
      method === "initialize"
        ? {
            result: {
              protocolVersion: "2025-06-18",
              capabilities: { tools: {} },
              serverInfo: { name: "x", version: "1" },
            },
          }
        : { result: { tools: [] } },
    );
    const { found } = await linesOf(targetOf(port), described({ protocolVersions: ["2025-11-25", "2025-06-18"] }));

    expect(found["MCP 2025-11-25"]).toMatchObject({
      found: "wrong",
      evidence: "initialize: HTTP 200, version 2025-06-18",
    });
    expect(found["MCP 2025-06-18"]).toMatchObject({ found: "wrong", evidence: "tools/list is empty" });
  });

  it("names the bounds of a histogram without that of the objective, and a call that it did not count", async () => {
    const { mcpPort } = await aServer();
    const target = targetOf(mcpPort);
    const scrape = 'calls_bucket{le="0.1"} 3\ncalls_bucket{le="1"} 3\ncalls_bucket{le="+Inf"} 3\ncalls_count 3\n';
    target.measurements = {
      calls: () =>
        Promise.resolve({
          pods: new Map([
            ["a", readCalls(scrape, { histogram: "calls", methodLabel: undefined, errorLabel: undefined })],
          ]),
          unread: [],
        }),
    };
    const { found } = await linesOf(target, described({ metrics: { path: "/metrics", histogram: "calls" } }));

    expect(found.metrics).toMatchObject({ found: "wrong", evidence: "'calls' did not count a call" });
    expect(found.latency).toMatchObject({
      found: "wrong",
      evidence: "the histogram has no bound of 0.3 s (release.bake.maxP95Ms); it has 0.1, 1",
      without: "calls above 0.1 s count as slow",
    });
    expect(found.errors).toMatchObject({ found: "lacks" });
  });

  it("is that of the live color if the idle one has no ready pod, and of none without any", async () => {
    const { mcpPort } = await aServer();
    const target = targetOf(mcpPort);
    target.colors.green.ready = 0;
    expect((await linesOf(target)).contract).toMatchObject({ color: "blue", live: true });

    target.colors.blue.ready = 0;
    await expect(linesOf(target)).rejects.toThrow(UsageError);
  });

  it("says nothing of a server that cannot be reached through the target", async () => {
    const target = targetOf(1);
    const unreachable = () => Promise.reject(new TargetUnreachable("no port forward"));
    target.endpoint = () =>
      Promise.resolve({
        url: new URL("http://127.0.0.1:1/mcp"),
        fetch: unreachable,
        pods: 2,
        close: () => Promise.resolve(),
      });

    await expect(linesOf(target)).rejects.toThrow(TargetUnreachable);
  });
});
