import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { Tool } from "../../../app/src/tools/tool.ts";
import { bundledServer } from "../../../environment/bundled-server.ts";
import { readCalls, slowCalls, undecidedCalls } from "../../../release/measure/histogram.ts";
import { connect, startTestApp, type RunningApp } from "../running-app.ts";
import { call, openRaw, post } from "../server/raw-connection.ts";
import { readScrape } from "./scrape.ts";

let app: RunningApp;
let begun: PromiseWithResolvers<undefined>;
let cancelled: PromiseWithResolvers<undefined>;

/** A tool that answers only after its client has gone. */
function waiting(tool: Tool): Tool {
  return {
    ...tool,
    handle(_, { signal }) {
      begun.resolve(undefined);
      return new Promise((resolve) => {
        signal.addEventListener("abort", () => {
          resolve({ content: [] });
          cancelled.resolve(undefined);
        });
      });
    },
  };
}

beforeEach(async () => {
  begun = Promise.withResolvers();
  cancelled = Promise.withResolvers();
  app = await startTestApp({}, { tools: (tools) => tools.map(waiting) });
});

afterEach(async () => {
  await app.close();
});

async function scrape(): Promise<string> {
  return (await fetch(`${app.admin}/metrics`)).text();
}

/** Counted requests, by method, tool and error type. */
async function counted(): Promise<Readonly<Record<string, number>>> {
  const { lines } = readScrape(await scrape(), "prometheus");
  return Object.fromEntries(
    lines
      .filter(({ name }) => name === "mcp_server_operation_duration_seconds_count")
      .map(({ labels, value }) => [
        `${labels.mcp_method_name ?? ""} ${labels.gen_ai_tool_name ?? ""} ${labels.error_type ?? ""}`,
        value,
      ]),
  );
}

/** Calls a tool in the 2025 version, and closes the connection before the answer. */
async function giveUp(): Promise<void> {
  const raw = await openRaw(app.mcpPort);
  raw.socket.write(post(call("simple_health")));
  await begun.promise;
  raw.socket.destroy();
  await cancelled.promise;
}

describe("a call whose client closes the connection before the answer", () => {
  it("is counted once as cancelled in the 2025 version", async () => {
    await giveUp();

    expect(await counted()).toEqual({ "tools/call simple_health cancelled": 1 });
  });

  it("is counted once as cancelled in the 2026 version", async () => {
    const client = await connect(app.endpoint, "2026");
    const leaving = new AbortController();
    const answer = client.callTool({ name: "simple_health" }, { signal: leaving.signal });
    await begun.promise;
    leaving.abort();
    await expect(answer).rejects.toThrow();
    await cancelled.promise;
    await client.close();

    expect(await counted()).toMatchObject({ "tools/call simple_health cancelled": 1 });
  });

  it("does not fail a release, and is not a call that met the objective", async () => {
    await giveUp();
    const calls = readCalls(await scrape(), bundledServer().metrics);

    expect(calls).toMatchObject({ calls: 1, errors: 0 });
    expect(slowCalls(calls, 5)).toBe(0);
    expect(undecidedCalls(calls, 5)).toBe(1);
  });
});

describe("a listen stream that its client closes", () => {
  it("is no call", async () => {
    const client = await connect(app.endpoint, "2026");
    const before = await counted();
    const stream = await client.listen({ toolsListChanged: true });
    await stream.close();
    await client.close();

    expect(await counted()).toEqual(before);
  });
});
