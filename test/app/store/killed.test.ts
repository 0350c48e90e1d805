import { afterAll, describe, expect, it } from "@jest/globals";
import type { Client } from "@modelcontextprotocol/client";
import { killProcesses, startProcess, type AppProcess } from "../app-process.ts";
import { connect } from "../running-app.ts";
import { aFolder, hold, recordsIn, waitingIn } from "./a-folder.ts";

afterAll(killProcesses);

interface Acknowledged {
  readonly key: string;
  readonly idempotencyKey: string;
  readonly value: unknown;
  readonly status: unknown;
}

/** Writes without pause, eight at a time, each under a key of its own and one that all share, until the server is gone. */
async function writeUntilGone(client: Client, run: string): Promise<Acknowledged[]> {
  const acknowledged: Acknowledged[] = [];
  const writer = async (name: number) => {
    for (let count = 0; ; count += 1) {
      const idempotencyKey = `${run}-${name}-${count}`;
      const key = count % 4 === 0 ? "shared" : idempotencyKey;
      const write = { key, idempotencyKey, value: { from: idempotencyKey } };
      const { isError, structuredContent } = await client.callTool({ name: "store_data_resilient", arguments: write });
      const { status }: Readonly<Record<string, unknown>> = { ...(structuredContent ?? {}) };
      if (isError !== true) acknowledged.push({ ...write, status });
    }
  };
  await Promise.allSettled(Array.from({ length: 8 }, (_, name) => writer(name)));
  return acknowledged;
}

async function start(folder: string): Promise<AppProcess & { client: Client }> {
  const app = await startProcess({
    DATA_DIR: folder,
    LOG_LEVEL: "error",
    KEEP_ALIVE_TIMEOUT: "100ms",
    CB_RECOVERY_TIMEOUT: "200ms",
    REQUEST_STATE_KEY: "a key for tests that is long enough",
  });
  return { ...app, client: await connect(new URL(`http://127.0.0.1:${app.mcpPort}/mcp`), "2026") };
}

/** Writes to a new process, kills it at a moment that chance picks, and says what it had acknowledged. */
async function killInTheMiddle(folder: string, run: string): Promise<Acknowledged[]> {
  const app = await start(folder);
  await app.client.callTool({ name: "simple_health", arguments: {} });
  const written = writeUntilGone(app.client, run);
  setTimeout(() => app.process.kill("SIGKILL"), 400 * Math.random());
  await app.exit;
  const acknowledged = await written;
  await app.client.close().catch(() => undefined);
  return acknowledged;
}

const isShared = ({ key }: Acknowledged) => key === "shared";

/** Every write that was acknowledged is there, and was made once. */
function check(folder: string, acknowledged: readonly Acknowledged[]): void {
  const records = recordsIn(folder);
  const own = acknowledged.filter((write) => !isShared(write));
  expect(own.length).toBeGreaterThan(0);
  const wrong = own.filter(({ key, value }) => {
    const record = records.get(key);
    return record?.revision !== 1 || JSON.stringify(record.value) !== JSON.stringify(value);
  });
  expect(wrong).toEqual([]);
  // One that was queued changes nothing where a later one came before it; one that was stored always does.
  const stored = acknowledged.filter((write) => isShared(write) && write.status === "stored");
  expect(records.get("shared")?.revision ?? 0).toBeGreaterThanOrEqual(stored.length);
}

describe("a process that is killed at any moment", () => {
  it("loses no write that it has acknowledged, and makes none twice", async () => {
    const folder = await aFolder();
    const acknowledged: Acknowledged[] = [];
    // On a busy machine a process may be killed before it has acknowledged anything.
    for (let kill = 0; kill < 4 || acknowledged.every(isShared); kill += 1)
      acknowledged.push(...(await killInTheMiddle(folder, `kill ${kill}`)));

    check(folder, acknowledged);
  }, 60_000);

  it("leaves what its journal took to the next process, which brings it to the store once", async () => {
    const folder = await aFolder();
    const first = await start(folder);
    await first.client.callTool({ name: "store_data_resilient", arguments: { key: "before", value: 1 } });
    const letGo = hold(folder);
    const written = writeUntilGone(first.client, "journal");
    while (waitingIn(folder) < 50) await new Promise((resolve) => setTimeout(resolve, 20));
    first.process.kill("SIGKILL");
    await first.exit;
    const acknowledged = await written;
    await first.client.close().catch(() => undefined);
    letGo();
    expect(acknowledged.length).toBeGreaterThan(20);
    expect(recordsIn(folder).size).toBe(1);

    // The successor is killed while it brings them, and so is the next.
    for (let kill = 0; kill < 2 && waitingIn(folder) > 0; kill += 1) await killInTheMiddle(folder, `again ${kill}`);
    const last = await start(folder);
    while (waitingIn(folder) > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    last.process.kill("SIGTERM");
    expect((await last.exit).code).toBe(0);
    await last.client.close().catch(() => undefined);

    check(folder, acknowledged);
  }, 60_000);
});
