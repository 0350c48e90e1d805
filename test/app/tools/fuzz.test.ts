import { once } from "node:events";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import type { Client } from "@modelcontextprotocol/client";
import fc from "fast-check";
import { readConfig } from "../../../app/src/config.ts";
import { createServices, type Services } from "../../../app/src/services.ts";
import { createLogger } from "../../../app/src/telemetry/logger.ts";
import { callTool } from "../../../app/src/tools/call-tool.ts";
import { createTools } from "../../../app/src/tools/index.ts";
import type { Tool } from "../../../app/src/tools/tool.ts";
import { killProcesses, startProcess, type AppProcess } from "../app-process.ts";
import { startUpstream, type TestUpstream } from "../outbound/upstream.ts";
import { connect } from "../running-app.ts";
import { startWeatherApi, type WeatherApi } from "../weather-api.ts";
import { anyArguments } from "./any-arguments.ts";

/** Calls of all tools together: first by themselves, then through HTTP. */
const CALLS = 9000;
const CALLS_OVER_HTTP = 1200;

/** Calls that one client makes at the same time. */
const AT_ONCE = 10;

/** Milliseconds after which a call hangs. */
const PATIENCE = 20_000;

/** What shows where the code lies or how it runs. */
const INSIDE = /\n\s+at \S|\.ts:\d|node:internal|node_modules|\/app\/(src|dist)/;

/** What the library that checks arguments says where a tool has no words of its own. */
const NOT_OURS = /Invalid (input|key|option)|Too (big|small)|received/;

const said = (content: unknown): string =>
  Array.isArray(content) ? content.map((part: { text?: string }) => part.text ?? "").join("\n") : String(content);

let upstream: TestUpstream;
let weather: WeatherApi;
let environment: Readonly<Record<string, string>>;

beforeAll(async () => {
  upstream = await startUpstream((request, response, body) => {
    const path = request.url ?? "";
    if (path.length % 7 === 0) response.writeHead(302, { location: "http://169.254.169.254/" }).end();
    else if (path.length % 11 === 0) response.writeHead(404).end(body);
    else response.writeHead(200, { "content-type": "application/json" }).end(`{"__proto__":1,"path":""}`);
  });
  weather = await startWeatherApi();
  environment = {
    ...weather.environment,
    AUTH_MODE: "off",
    AUTH_OFF_SCOPES: "breakers:write",
    OUTBOUND_ALLOW: upstream.origin,
    OUTBOUND_ALLOW_PRIVATE: "127.0.0.1",
    OUTBOUND_POOLS: `pool=${upstream.origin}`,
    RATE_LIMIT_BURST: "1000000",
  };
});

afterAll(async () => {
  await Promise.all([upstream.close(), weather.close()]);
  killProcesses();
});

/** The message that fast-check adds to holds the seed and the arguments that it comes down to. */
async function fuzz(tool: Tool, calls: number, check: (args: unknown) => Promise<void>): Promise<void> {
  const schema = tool.inputSchema["~standard"].jsonSchema.input({ target: "draft-2020-12" });
  const together = fc.array(anyArguments(schema, upstream.origin), { minLength: AT_ONCE, maxLength: AT_ONCE });
  await fc.assert(
    fc.asyncProperty(together, async (all) => {
      const clock = Promise.withResolvers<never>();
      const timer = setTimeout(() => {
        clock.reject(new Error(`${tool.name} hangs`));
      }, PATIENCE);
      try {
        await Promise.race([Promise.all(all.map(check)), clock.promise]);
      } finally {
        clearTimeout(timer);
      }
    }),
    { numRuns: Math.ceil(calls / AT_ONCE), endOnFailure: true },
  );
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
}

// That no rejection goes unhandled, Jest sees to: it fails the test in which one does.
describe("every tool, called with anything", () => {
  let services: Services;
  let tools: readonly Tool[];

  beforeAll(async () => {
    const config = readConfig({ ...environment, LOG_LEVEL: "silent" });
    services = await createServices(config, createLogger(config));
    tools = createTools(services);
  });

  afterEach(() => {
    for (const breaker of services.breakers) breaker.reset();
  });

  afterAll(async () => {
    await services.close();
  });

  it("answers, or says what is wrong, and never that it failed itself", async () => {
    for (const tool of tools) {
      await fuzz(tool, CALLS / tools.length, async (args) => {
        const checked = await tool.inputSchema["~standard"].validate(args);
        if (checked.issues !== undefined) {
          const problems = checked.issues.map(({ message }) => message).join("\n");
          expect(problems).not.toMatch(INSIDE);
          expect(problems).not.toMatch(NOT_OURS);
          return;
        }
        const unforeseen: unknown[] = [];
        const result = await callTool(
          tool,
          args,
          {
            client: "fuzz",
            scopes: tool.scopes ?? [],
            signal: new AbortController().signal,
            progress: () => undefined,
          },
          (error) => String(unforeseen.push(error)),
        );

        expect(unforeseen).toEqual([]);
        expect(said(result.content)).not.toMatch(INSIDE);
        if (result.isError === true) expect(result.content).toHaveLength(1);
        else
          expect(await tool.outputSchema["~standard"].validate(result.structuredContent)).not.toHaveProperty("issues");
        if (tool.name === "breaker_control") for (const breaker of services.breakers) breaker.reset();
      });
    }
  }, 120_000);
});

describe("every tool of a process, called with anything over HTTP", () => {
  let app: AppProcess;
  let client: Client;

  beforeAll(async () => {
    app = await startProcess({ ...environment, LOG_LEVEL: "error" });
    client = await connect(new URL(`http://127.0.0.1:${app.mcpPort}/mcp`), "2026");
  });

  it("answers, logs no error, and ends as it should", async () => {
    const config = readConfig({ ...environment, LOG_LEVEL: "silent" });
    const services = await createServices(config, createLogger(config));
    const tools = createTools(services);
    for (const tool of tools) {
      await fuzz(tool, CALLS_OVER_HTTP / tools.length, async (args) => {
        const answered = await client
          .callTool({ name: tool.name, arguments: args as Record<string, unknown> }, { timeout: PATIENCE })
          .catch((error: unknown) => ({ isError: true, content: String(error) }));

        expect(said(answered.content)).not.toMatch(/timed out|fetch failed|failed inside/);
        expect(said(answered.content)).not.toMatch(INSIDE);
      });
    }
    await services.close();
    await client.close();
    app.process.kill("SIGTERM");
    await once(app.process, "exit");

    expect(await app.exit).toEqual({ code: 0, stdout: expect.any(String), stderr: "" });
    expect((await app.exit).stdout.split("\n").filter((line) => line.includes("failed"))).toEqual([]);
  }, 120_000);
});
