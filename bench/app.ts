import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { redisIsInstalled, startRedis } from "../test/redis/server.ts";
import { median, repeat, type Measurement } from "./measurement.ts";

const RUNS = 10;
const BUNDLE = "app/dist/main.js";
const SETTLE_MS = 3000;

/** The size of the bundle, its time to readiness and its memory when nothing happens. */
export async function app(): Promise<Measurement[]> {
  await promisify(execFile)(process.execPath, ["app/build.ts", "--out", BUNDLE]);
  const { size } = await stat(BUNDLE);
  const readyMs = await repeat(RUNS, async () => {
    const running = await startUntilReady();
    await stop(running.child);
    return running.readyMs;
  });
  const alone = median(await repeat(3, () => idleMegabytes()));
  // Nobody has to listen there: what it takes to keep traces is loaded all the same.
  const traced = median(await repeat(3, () => idleMegabytes({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" })));
  const folder = await mkdtemp(join(tmpdir(), "mcp-bench-"));
  const storing = median(await repeat(3, () => idleMegabytes({ DATA_DIR: folder })));
  await rm(folder, { recursive: true });
  const redis = redisIsInstalled ? await startRedis() : undefined;
  const sharing = redis && median(await repeat(3, () => idleMegabytes({ REDIS_URL: redis.url })));
  await redis?.close();
  const rows: Measurement[] = [
    { what: "app bundle", value: size / 1e6, unit: "MB", bar: 3, runs: 1 },
    { what: "process start to /readyz 200", value: median(readyMs), unit: "ms", bar: 350, runs: RUNS },
    { what: "resident memory when idle", value: alone, unit: "MB", bar: 110, runs: 3 },
    { what: "  what OpenTelemetry adds", value: traced - alone, unit: "MB", runs: 3 },
    { what: "  what a store on disk adds", value: storing - alone, unit: "MB", runs: 3 },
  ];
  // Without a redis-server there is nothing to measure.
  if (sharing !== undefined) rows.push({ what: "  what Redis adds", value: sharing - alone, unit: "MB", runs: 3 });
  return rows;
}

async function idleMegabytes(environment: Readonly<Record<string, string>> = {}): Promise<number> {
  const { child } = await startUntilReady(environment);
  await sleep(SETTLE_MS);
  const megabytes = await residentMegabytes(child);
  await stop(child);
  return megabytes;
}

async function startUntilReady(
  environment: Readonly<Record<string, string>> = {},
): Promise<{ child: ChildProcess; readyMs: number }> {
  const start = performance.now();
  const own = { HOST: "127.0.0.1", MCP_PORT: "0", ADMIN_PORT: "0", AUTH_MODE: "off" };
  const env = { PATH: process.env.PATH, ...own, ...environment };
  const child = spawn(process.execPath, [BUNDLE], { env, stdio: ["ignore", "pipe", "ignore"] });
  const adminPort = await listeningPort(child);
  for (;;) {
    const ready = await fetch(`http://127.0.0.1:${adminPort}/readyz`).then(({ ok }) => ok);
    if (ready) return { child, readyMs: performance.now() - start };
    await sleep(1);
  }
}

async function listeningPort({ stdout }: ChildProcess): Promise<number> {
  if (stdout === null) throw new Error("the app's output is not piped");
  for await (const line of createInterface({ input: stdout })) {
    const entry = JSON.parse(line) as { readonly msg?: string; readonly adminPort?: number };
    if (entry.msg === "listening" && entry.adminPort !== undefined) return entry.adminPort;
  }
  throw new Error(`'${BUNDLE}' ended before it was listening`);
}

/** Linux's own figure: the pages that are in memory. */
async function residentMegabytes({ pid }: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${pid ?? 0}/status`, "utf8");
  return (Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024) / 1e6;
}

async function stop(child: ChildProcess): Promise<void> {
  child.kill("SIGTERM");
  await once(child, "exit");
}
