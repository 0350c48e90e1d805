import { execFile } from "node:child_process";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { killProcesses, runToExit, startProcess } from "./app-process.ts";
import { connect } from "./running-app.ts";

// Each test starts processes.
jest.setTimeout(20_000);

afterAll(killProcesses);

describe("a start that cannot succeed", () => {
  it("names every bad variable, without a stack trace or a secret, and exits with 2", async () => {
    const { code, stderr } = await runToExit({
      MCP_PORT: "eighty",
      CB_TIMEOUT: "15",
      APP_COLOR: "red",
      WEATHER_FORECAST_URL: "file:///etc/passwd",
      REQUEST_STATE_KEY: "too short",
      MAX_BODY_BYTES: "1",
    });

    expect(code).toBe(2);
    expect(stderr.trim().split("\n")).toEqual([
      "the configuration is not valid:",
      "  MCP_PORT must be a whole number, not 'eighty'",
      "  APP_COLOR must be 'blue', 'green' or 'none', not 'red'",
      "  MAX_BODY_BYTES must be between 1024 and 67108864, not '1'",
      "  REQUEST_STATE_KEY must be at least 32 bytes long",
      "  WEATHER_FORECAST_URL must be an http or https URL, not 'file:///etc/passwd'",
      "  CB_TIMEOUT must be a whole number and a unit: '500ms', '60s', '5m' or '1h', not '15'",
    ]);
  });

  it.each(["MCP_PORT", "ADMIN_PORT"])(
    "says in one line that %s is in use and what to do, and exits with 1",
    async (variable) => {
      const holder = createServer();
      await once(holder.listen(0, "127.0.0.1"), "listening");
      const { port } = holder.address() as AddressInfo;
      const { code, stderr } = await runToExit({ [variable]: String(port) });
      await once(holder.close(), "close");

      expect(code).toBe(1);
      expect(stderr).toBe(
        `port ${port} is in use: stop what listens on it, or set ${variable} to another port (0 takes any free one)\n`,
      );
    },
  );
});

describe("a quiet log", () => {
  it("still says where the app listens, or with port 0 nobody could find it", async () => {
    const app = await startProcess({ LOG_LEVEL: "error" });
    expect(app.mcpPort).toBeGreaterThan(0);
    app.process.kill("SIGTERM");
    const { code, stdout } = await app.exit;

    expect(code).toBe(0);
    expect(stdout.trim().split("\n")).toHaveLength(1);
  });
});

describe("the bundle", () => {
  let folder: string;
  let bundle: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "mcp-app-"));
    bundle = join(folder, "main.js");
    const build = join(import.meta.dirname, "../../app/build.ts");
    await promisify(execFile)(process.execPath, [build, "--version", "3.2.1", "--out", bundle]);
  }, 30_000);

  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  it("is one file of at most 3 MB", async () => {
    expect((await stat(bundle)).size).toBeLessThan(3_000_000);
  });

  it("carries the thread that waits for the disk with it", async () => {
    const app = await startProcess({ DATA_DIR: folder, KEEP_ALIVE_TIMEOUT: "100ms" }, bundle);
    const client = await connect(new URL(`http://127.0.0.1:${app.mcpPort}/mcp`), "2026");
    const { structuredContent } = await client.callTool({
      name: "store_data_resilient",
      arguments: { key: "k", value: 1 },
    });
    await client.close();
    app.process.kill("SIGTERM");

    expect(structuredContent).toMatchObject({ status: "stored", durability: "volume" });
    expect((await app.exit).code).toBe(0);
  });

  it("runs alone, says the version it was built as, and ends with 0 on SIGTERM", async () => {
    const app = await startProcess({ APP_COLOR: "blue" }, bundle);
    const client = await connect(new URL(`http://127.0.0.1:${app.mcpPort}/mcp`), "2026");
    expect(client.getServerVersion()).toMatchObject({ version: "3.2.1" });
    await client.close();
    app.process.kill("SIGTERM");
    const { code, stdout } = await app.exit;

    expect(code).toBe(0);
    const lines = stdout
      .trim()
      .split("\n")
      .map((line): unknown => JSON.parse(line));
    expect(lines).toContainEqual(
      expect.objectContaining({
        msg: "listening",
        mcpPort: app.mcpPort,
        adminPort: app.adminPort,
        version: "3.2.1",
        color: "blue",
      }),
    );
    expect(lines).toContainEqual(
      expect.objectContaining({ msg: expect.stringContaining("REQUEST_STATE_KEY is not set") }),
    );
  });
});
