import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeEach, expect, it } from "@jest/globals";
import type { Client } from "@modelcontextprotocol/client";
import { describeWithRedis } from "../../redis/describe.ts";
import { startRedis, type RedisServer } from "../../redis/server.ts";
import { killProcesses, startProcess, type AppProcess } from "../app-process.ts";
import { connect } from "../running-app.ts";
import { aFolder, hold, recordsIn, waitingIn } from "./a-folder.ts";

interface Pod extends AppProcess {
  readonly client: Client;
  write(key: string, value: unknown): Promise<Readonly<Record<string, unknown>>>;
}

let redis: RedisServer;
let folder: string;
let clients: Client[] = [];

beforeEach(async () => {
  redis = await startRedis();
  folder = await aFolder();
});

afterEach(async () => {
  for (const client of clients) await client.close().catch(() => undefined);
  clients = [];
  killProcesses();
  await redis.close();
});

afterAll(killProcesses);

/** A pod that has written once, so that all of it is warm and the store's file is there. */
async function startPod(): Promise<Pod> {
  const app = await startProcess({
    DATA_DIR: folder,
    REDIS_URL: redis.url,
    LOG_LEVEL: "silent",
    KEEP_ALIVE_TIMEOUT: "100ms",
    // Writes come in bursts here, and each of them counts.
    ADMISSION_TIME: "0s",
    CB_FAILURE_THRESHOLD: "1",
    CB_RECOVERY_TIMEOUT: "200ms",
    CB_TIMEOUT: "1s",
  });
  const client = await connect(new URL(`http://127.0.0.1:${app.mcpPort}/mcp`), "2026");
  clients.push(client);
  const pod: Pod = {
    ...app,
    client,
    async write(key, value) {
      const { structuredContent, content } = await client.callTool({
        name: "store_data_resilient",
        arguments: { key, value, idempotencyKey: key },
      });
      return { ...(structuredContent ?? { content }) };
    },
  };
  await pod.write("before", 0);
  const health = async () => (await fetch(`http://127.0.0.1:${app.adminPort}/health`)).text();
  while (!(await health()).includes('"status":"healthy","version"')) await sleep(20);
  return pod;
}

/** Writes until Redis has taken one in the time that it has, which a busy machine may let pass. */
async function queueInRedis(pod: Pod, name: string, value: unknown): Promise<Readonly<Record<string, unknown>>> {
  for (let attempt = 1; ; attempt += 1) {
    const receipt = await pod.write(`${name} ${attempt}`, value);
    expect(receipt).toMatchObject({ status: "queued" });
    if (receipt.where === "redis") return receipt;
  }
}

const inQueue = async () => Number(await redis.admin("XLEN", "mcp:{writes}:queue"));

async function drained(): Promise<void> {
  while ((await inQueue()) > 0 || waitingIn(folder) > 0) await sleep(20);
}

describeWithRedis("pods that share a store and Redis", () => {
  it("bring to the store what one had queued before it was killed, each write once", async () => {
    const [one, other] = [await startPod(), await startPod()];
    const letGo = hold(folder);
    const receipts = await Promise.all(Array.from({ length: 40 }, (_, count) => queueInRedis(one, `k${count}`, count)));
    one.process.kill("SIGKILL");
    await one.exit;
    expect(receipts).toEqual(receipts.map(() => expect.objectContaining({ durability: "redis-memory" })));
    expect(await inQueue()).toBeGreaterThanOrEqual(40);
    letGo();
    await drained();
    other.process.kill("SIGTERM");
    expect((await other.exit).code).toBe(0);

    const records = recordsIn(folder);
    expect(receipts.map(({ key }) => records.get(String(key)))).toEqual(
      Array.from({ length: 40 }, (_, count) => ({ value: count, revision: 1 })),
    );
  }, 30_000);

  it("finish what one that is killed had begun to bring, each write once", async () => {
    const [one, other] = [await startPod(), await startPod()];
    const letGo = hold(folder);
    await Promise.all(Array.from({ length: 300 }, (_, count) => one.write(`k${count}`, count)));
    letGo();
    while ((await inQueue()) === 300) await sleep(1);
    one.process.kill("SIGKILL");
    await drained();
    other.process.kill("SIGTERM");
    await other.exit;

    const records = recordsIn(folder);
    expect(Array.from({ length: 300 }, (_, count) => records.get(`k${count}`)?.revision)).toEqual(
      Array.from({ length: 300 }, () => 1),
    );
  }, 30_000);

  it("write to the journal while Redis hangs or is gone, without making anybody wait for it", async () => {
    const pod = await startPod();
    const letGo = hold(folder);
    await queueInRedis(pod, "opens the breaker", 1);
    redis.pause();
    expect(await pod.write("k1", 1)).toMatchObject({ where: "journal" });
    await redis.kill();
    expect(await pod.write("k2", 2)).toMatchObject({ where: "journal" });
    const began = performance.now();
    expect(await pod.write("k3", 3)).toMatchObject({ where: "journal" });
    expect(performance.now() - began).toBeLessThan(1500);

    await redis.start();
    letGo();
    await drained();
    const records = recordsIn(folder);
    expect(["k1", "k2", "k3"].map((key) => records.get(key))).toEqual(
      [1, 2, 3].map((value) => ({ value, revision: 1 })),
    );
  }, 30_000);

  it("lose with a Redis that is emptied only what was in its memory, and go on", async () => {
    const pod = await startPod();
    const letGo = hold(folder);
    const lost = await queueInRedis(pod, "lost", 1);
    expect(lost).toMatchObject({ durability: "redis-memory" });
    await redis.flush();
    const kept = await queueInRedis(pod, "kept", 2);
    letGo();
    await drained();

    const records = recordsIn(folder);
    expect(records.get(String(kept.key))).toEqual({ value: 2, revision: 1 });
    expect(records.has(String(lost.key))).toBe(false);
  }, 30_000);
});
