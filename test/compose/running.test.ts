import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { createClient } from "@redis/client";
import { killProcesses, startProcess, type AppProcess } from "../app/app-process.ts";
import { connect } from "../app/running-app.ts";
import { redisIsInstalled } from "../redis/server.ts";
import { services, text } from "./compose-file.ts";

const prometheusIsInstalled = spawnSync("prometheus", ["--version"]).status === 0;
if (!redisIsInstalled || !prometheusIsInstalled) {
  process.stderr.write("skipped in part: apt-get install redis-server prometheus\n");
}

const COLORS = ["blue", "green"] as const;
const PASSWORD = "0123456789abcdef";
const compose = services({ REDIS_PASSWORD: PASSWORD, REQUEST_STATE_KEY: "k".repeat(32) });

const folder = mkdtempSync(join(tmpdir(), "compose-"));
const children: ChildProcess[] = [];
let redisPort: number;
let apps: AppProcess[];

beforeAll(async () => {
  [redisPort] = (await freePorts(1)) as [number];
  if (redisIsInstalled) {
    const [program = "", ...args] = compose.redis?.command ?? [];
    const own = args.map((arg) => (arg === "/data" ? folder : arg));
    start(program, [...own, "--port", String(redisPort), "--bind", "127.0.0.1"]);
    await until(() => ping(`redis://127.0.0.1:${redisPort}`));
  }
  apps = await Promise.all(
    COLORS.map((color) => {
      const { REDIS_URL = "", ...environment } = compose[color]?.environment ?? {};
      return startProcess({
        ...environment,
        DATA_DIR: mkdtempSync(join(folder, color)),
        REDIS_URL: REDIS_URL.replace("redis:6379", `127.0.0.1:${redisPort}`),
      });
    }),
  );
}, 30_000);

afterAll(async () => {
  killProcesses();
  await Promise.all(apps.map(({ exit }) => exit));
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

function start(program: string, args: readonly string[]): void {
  children.push(spawn(program, args, { stdio: "ignore" }));
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => once(server.listen(0, "127.0.0.1"), "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition().catch(() => false))) await sleep(50);
}

/** @param localAddress what it sees as the client's address */
async function withRedis<T>(
  url: string,
  use: (send: (...args: string[]) => Promise<unknown>) => Promise<T>,
  localAddress = "127.0.0.1",
): Promise<T> {
  const socket = { reconnectStrategy: false, localAddress } as const;
  const client = createClient({ url, disableClientInfo: true, RESP: 2, socket });
  client.on("error", () => undefined);
  await client.connect();
  try {
    return await use((...args) => client.sendCommand(args));
  } finally {
    client.destroy();
  }
}

const ping = (url: string) => withRedis(url, async (send) => (await send("PING")) === "PONG");

(redisIsInstalled ? describe : describe.skip)("the Redis of compose.yaml", () => {
  it("answers nobody without the password, but whether it is there", async () => {
    await withRedis(`redis://127.0.0.1:${redisPort}`, async (send) => {
      expect(await send("PING")).toBe("PONG");
      await expect(send("GET", "mcp:a")).rejects.toThrow("NOPERM");
      await expect(send("CONFIG", "GET", "*")).rejects.toThrow("NOPERM");
    });
  });

  it("answers other hosts than its own", async () => {
    const found = await withRedis(`redis://127.0.0.1:${redisPort}`, (send) => send("PING"), "127.0.0.2");

    expect(found).toBe("PONG");
  });

  it("lets the app touch what is its own, with no command that managed services refuse", async () => {
    await withRedis(`redis://app:${PASSWORD}@127.0.0.1:${redisPort}`, async (send) => {
      expect(await send("SET", "mcp:test", "1", "PX", "1")).toBe("OK");
      for (const command of ["SET other 1", "PSUBSCRIBE *", "KEYS *", "CONFIG GET *", "FLUSHALL", "PUBLISH other 1"]) {
        await expect(send(...command.split(" "))).rejects.toThrow("NOPERM");
      }
    });
  });

  it("is reached by both colors", async () => {
    for (const { adminPort } of apps) {
      const health = await fetch(`http://127.0.0.1:${adminPort}/health`);
      expect(await health.json()).toMatchObject({ status: "healthy", dependencies: { redis: { status: "healthy" } } });
    }
  });
});

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
}

(prometheusIsInstalled ? describe : describe.skip)("the Prometheus of compose.yaml", () => {
  const { panels } = JSON.parse(text("monitoring/grafana/dashboards/mcp.json")) as Dashboard;
  let api: string;

  beforeAll(async () => {
    const [port = 0] = await freePorts(1);
    // The same file, with the addresses that the services have here, and more often, so that nobody waits.
    const config = text("monitoring/prometheus.yml")
      .replace("blue:9090", `127.0.0.1:${apps[0]?.adminPort}`)
      .replace("green:9090", `127.0.0.1:${apps[1]?.adminPort}`)
      .replace("localhost:9090", `127.0.0.1:${port}`)
      .replace("scrape_interval: 5s", "scrape_interval: 1s");
    const file = join(folder, "prometheus.yml");
    writeFileSync(file, config);
    const flags = (compose.prometheus?.command ?? []).filter((flag) => !/^--(config|storage\.tsdb\.path)/.test(flag));
    start("prometheus", [
      ...flags,
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, "tsdb")}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
    api = `http://127.0.0.1:${port}`;
    await until(async () => (await fetch(`${api}/-/ready`)).ok);
  }, 30_000);

  const query = async (expression: string) => {
    const response = await fetch(`${api}/api/v1/query?query=${encodeURIComponent(expression)}`);
    return ((await response.json()) as { data: { result: { metric: Record<string, string> }[] } }).data.result;
  };

  it("finds both colors and itself", async () => {
    await until(async () => (await query("up == 1")).length === 3);

    const up = await query("up == 1");
    expect(up.map(({ metric }) => metric.color ?? metric.job).sort()).toEqual(["blue", "green", "prometheus"]);
  }, 20_000);

  it("has something to draw for both colors in every panel of the dashboard", async () => {
    for (const { mcpPort } of apps) {
      const client = await connect(new URL(`http://127.0.0.1:${mcpPort}/mcp`), "2026");
      // Over several scrapes: a rate needs two.
      for (let second = 0; second < 4; second += 1) {
        await client.callTool({ name: "cached_expensive_operation", arguments: { operation: "fibonacci", n: 30 } });
        await client.callTool({ name: "no_such_tool", arguments: {} }).catch(() => undefined);
        await sleep(1000);
      }
      await client.close();
    }

    for (const { title, targets } of panels) {
      for (const { expr } of targets) {
        const found = await query(expr.replaceAll("$__rate_interval", "1m"));
        expect({ title, expr, colors: [...new Set(found.map(({ metric }) => metric.color))].sort() }).toEqual({
          title,
          expr,
          colors: ["blue", "green"],
        });
      }
    }
  }, 40_000);
});
