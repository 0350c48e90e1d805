import { execFileSync } from "node:child_process";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, describe, expect, it } from "@jest/globals";
import type { Client } from "@modelcontextprotocol/client";
import { killProcesses, startProcess } from "../app-process.ts";
import { connect, startTestApp, type RunningApp } from "../running-app.ts";
import { aFolder, hold, recordsIn, waitingIn } from "./a-folder.ts";

let cleanUp: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const step of cleanUp.reverse()) await step();
  cleanUp = [];
});

afterAll(killProcesses);

interface Running {
  readonly app: RunningApp;
  readonly client: Client;
}

async function start(environment: Readonly<Record<string, string>>): Promise<Running> {
  const app = await startTestApp({ CB_RECOVERY_TIMEOUT: "100ms", ...environment });
  const client = await connect(app.endpoint, "2026");
  cleanUp.push(async () => {
    await client.close();
    await app.close();
  });
  return { app, client };
}

const ask = (client: Client, args: Readonly<Record<string, unknown>>) =>
  client.callTool({ name: "store_data_resilient", arguments: args });

async function receiptOf(client: Client, args: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>> {
  const { structuredContent, content } = await ask(client, args);
  return { ...(structuredContent ?? { content }) };
}

/** Waits until nothing waits for the store. */
async function drained(folder: string): Promise<void> {
  while (waitingIn(folder) > 0) await sleep(20);
}

describe("a receipt", () => {
  it("says what was stored, and where, and has an idempotency key for who gave none", async () => {
    const { client } = await start({ DATA_DIR: await aFolder() });

    expect(await receiptOf(client, { key: "k", value: { a: [1, null] } })).toEqual({
      key: "k",
      idempotencyKey: expect.stringMatching(/^[0-9a-f-]{36}$/),
      status: "stored",
      where: "store",
      durability: "volume",
      acceptedAt: expect.stringMatching(/Z$/),
      replayed: false,
    });
  });

  it("is the same for each repetition, and for one whose members come in another order", async () => {
    const folder = await aFolder();
    const { client } = await start({ DATA_DIR: folder });
    const first = await receiptOf(client, { key: "k", value: { a: 1, b: 2 }, idempotencyKey: "mine" });
    await receiptOf(client, { key: "k", value: "later" });

    expect(await receiptOf(client, { key: "k", value: { b: 2, a: 1 }, idempotencyKey: "mine" })).toEqual({
      ...first,
      replayed: true,
    });
    expect(recordsIn(folder).get("k")).toEqual({ value: "later", revision: 2 });
  });

  it.each([
    ["another value", { key: "k", value: 2 }],
    ["another key", { key: "other", value: 1 }],
    ["a list in place of an object that is spelt alike", { key: "k", value: [["a", 1]] }],
  ])("is refused for %s under an idempotency key that was used", async (_what, another) => {
    const { client } = await start({ DATA_DIR: await aFolder() });
    await ask(client, { key: "k", value: { a: 1 }, idempotencyKey: "mine" });
    const { isError, _meta, content } = await ask(client, { ...another, idempotencyKey: "mine" });

    expect(isError).toBe(true);
    expect(_meta).toMatchObject({ "mcp-bluegreen/error": { kind: "caller_error" } });
    expect(JSON.stringify(content)).toContain("use a new one for a new write");
  });

  it("promises no more than the volume or the process gives", async () => {
    const onPod = await start({ DATA_DIR: await aFolder(), DATA_DURABILITY: "pod" });
    const inMemory = await start({});

    expect(await receiptOf(onPod.client, { key: "k", value: 1 })).toMatchObject({ durability: "pod" });
    expect(await receiptOf(inMemory.client, { key: "k", value: 1 })).toMatchObject({ durability: "process" });
  });
});

describe("a write that cannot be", () => {
  it.each([
    ["without a value", { key: "k" }],
    ["with an empty key", { key: "", value: 1 }],
    ["with half a character in its key", { key: "\ud800", value: 1 }],
    ["with a key that does not end", { key: "k".repeat(201), value: 1 }],
    ["with a value that is too large", { key: "k", value: "é".repeat(32 * 1024) }],
  ])("is refused %s", async (_what, args) => {
    const { client } = await start({});
    const { isError } = await ask(client, args).catch(() => ({ isError: true }));

    expect(isError).toBe(true);
  });
});

describe("a number that is too large for JSON", () => {
  it("is refused rather than stored as another value", async () => {
    const { app } = await start({});
    const response = await fetch(app.endpoint, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"store_data_resilient","arguments":{"key":"k","value":[1e400]}}}',
    });

    expect(await response.text()).toContain("write it as a string");
  });
});

describe("a store that another process holds", () => {
  it("has its writes in the journal, and gets them when it is let go", async () => {
    const folder = await aFolder();
    const { client, app } = await start({ DATA_DIR: folder, CB_FAILURE_THRESHOLD: "1" });
    await ask(client, { key: "before", value: 0 });
    const letGo = hold(folder);
    const receipts = [];
    for (let count = 0; count < 10; count += 1)
      receipts.push(await receiptOf(client, { key: `k${count}`, value: count }));
    expect(receipts).toEqual(
      receipts.map(() => expect.objectContaining({ status: "queued", where: "journal", durability: "volume" })),
    );
    expect(await (await fetch(`${app.admin}/health`)).json()).toMatchObject({
      status: "degraded",
      dependencies: { database: { status: "degraded" } },
    });
    const metrics = async () => (await fetch(`${app.admin}/metrics`)).text();
    expect(await metrics()).toContain('mcp_store_deferred_writes_total{queue="journal"} 10');
    // It is counted while the store is down, and a store that is down makes no dead letters.
    while (!(await metrics()).includes('mcp_store_queue_depth{queue="journal"} 10')) await sleep(50);
    expect(await metrics()).toContain('mcp_store_dead_letters{queue="journal"} 0');

    letGo();
    await drained(folder);
    const records = recordsIn(folder);
    expect(Array.from({ length: 10 }, (_, count) => records.get(`k${count}`))).toEqual(
      Array.from({ length: 10 }, (_, count) => ({ value: count, revision: 1 })),
    );
  }, 15_000);

  it("takes repetitions of a write that waits for one write", async () => {
    const folder = await aFolder();
    const { client } = await start({ DATA_DIR: folder, CB_FAILURE_THRESHOLD: "1", CB_RECOVERY_TIMEOUT: "1s" });
    await ask(client, { key: "before", value: 0 });
    const letGo = hold(folder);
    const first = await receiptOf(client, { key: "k", value: 1, idempotencyKey: "mine" });
    expect(await receiptOf(client, { key: "k", value: 1, idempotencyKey: "mine" })).toEqual({
      ...first,
      replayed: true,
    });
    expect(await ask(client, { key: "k", value: 2, idempotencyKey: "mine" })).toMatchObject({ isError: true });
    letGo();
    await drained(folder);

    expect(await receiptOf(client, { key: "k", value: 1, idempotencyKey: "mine" })).toMatchObject({
      status: "stored",
      replayed: true,
      acceptedAt: first.acceptedAt,
    });
    expect(recordsIn(folder).get("k")).toEqual({ value: 1, revision: 1 });
  }, 15_000);

  it("does not hold up anything else: calls are answered while writes wait", async () => {
    const folder = await aFolder();
    const { client } = await start({ DATA_DIR: folder });
    await ask(client, { key: "before", value: 0 });
    const letGo = hold(folder);
    const write = ask(client, { key: "k", value: 1 });
    const other = client.callTool({ name: "simple_health", arguments: {} });

    expect(await Promise.race([write.then(() => "the write"), other.then(() => "the other")])).toBe("the other");
    await write;
    letGo();
  });
});

describe("writes to one record", () => {
  it("end with the one that was accepted last, though an earlier one comes to the store after it", async () => {
    const folder = await aFolder();
    const late = await start({ DATA_DIR: folder, CB_FAILURE_THRESHOLD: "1", CB_RECOVERY_TIMEOUT: "2s" });
    await ask(late.client, { key: "before", value: 0 });
    const letGo = hold(folder);
    expect(await receiptOf(late.client, { key: "k", value: "first" })).toMatchObject({ status: "queued" });
    letGo();
    // Its breaker is open still; another process brings a newer write to the store.
    const other = await start({ DATA_DIR: folder });
    const direct = await receiptOf(other.client, { key: "k", value: "second" });
    await drained(folder);

    expect(direct).toMatchObject({ status: "stored" });
    expect(recordsIn(folder).get("k")?.value).toBe("second");
  }, 15_000);
});

describe("a folder that is gone", () => {
  it("loses no write to a file that nobody will find: nothing is acknowledged until it is back", async () => {
    const folder = join(await aFolder(), "data");
    await mkdir(folder);
    const { client } = await start({ DATA_DIR: folder });
    await ask(client, { key: "k1", value: 1 });
    await rename(folder, `${folder}-elsewhere`);
    expect(await ask(client, { key: "k2", value: 2 })).toMatchObject({ isError: true });
    await rename(`${folder}-elsewhere`, folder);

    expect(await receiptOf(client, { key: "k3", value: 3 })).toMatchObject({ durability: "volume" });
    await drained(folder);
    expect(recordsIn(folder).get("k3")).toEqual({ value: 3, revision: 1 });
  }, 15_000);
});

describe("a store whose file is broken", () => {
  it("has its writes in the journal until somebody takes the file away", async () => {
    const folder = await aFolder();
    await writeFile(join(folder, "store.sqlite"), "this is no database, and never was ".repeat(100));
    const { client } = await start({ DATA_DIR: folder, CB_FAILURE_THRESHOLD: "1" });
    expect(await receiptOf(client, { key: "k", value: 1 })).toMatchObject({ where: "journal" });
    await rm(join(folder, "store.sqlite"));
    await drained(folder);

    expect(recordsIn(folder).get("k")).toEqual({ value: 1, revision: 1 });
  }, 15_000);
});

describe("a disk that is full", () => {
  it("takes no write, says so, and has lost none when there is room again", async () => {
    const folder = await aFolder();
    const app = await startProcess({
      DATA_DIR: folder,
      CB_RECOVERY_TIMEOUT: "100ms",
      LOG_LEVEL: "silent",
      KEEP_ALIVE_TIMEOUT: "100ms",
    });
    const client = await connect(new URL(`http://127.0.0.1:${app.mcpPort}/mcp`), "2026");
    const limitFiles = (bytes: string) =>
      execFileSync("prlimit", ["--pid", String(app.process.pid), `--fsize=${bytes}:unlimited`]);
    const write = async (count: number) =>
      (await ask(client, { key: `k${count}`, value: "x".repeat(20_000) })).isError !== true;
    const acknowledged: number[] = [];
    for (let count = 0; count < 5; count += 1) if (await write(count)) acknowledged.push(count);
    limitFiles("100000");
    for (let count = 5; count < 15; count += 1) if (await write(count)) acknowledged.push(count);
    expect(acknowledged.length).toBeLessThan(15);
    limitFiles("unlimited");
    while (!(await write(15))) await sleep(50);
    acknowledged.push(15);
    await drained(folder);
    await client.close();
    app.process.kill("SIGTERM");
    expect((await app.exit).code).toBe(0);

    const records = recordsIn(folder);
    expect(acknowledged.length).toBeGreaterThanOrEqual(6);
    expect(acknowledged.filter((count) => records.get(`k${count}`)?.revision !== 1)).toEqual([]);
  }, 20_000);
});
