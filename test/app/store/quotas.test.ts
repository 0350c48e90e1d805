import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import { ToolInputError } from "../../../app/src/errors/tool-input-error.ts";
import { Breaker } from "../../../app/src/resilience/breaker.ts";
import { PLAIN_CALL } from "../../../app/src/resilience/call.ts";
import { Disk } from "../../../app/src/store/disk/disk.ts";
import { Journal } from "../../../app/src/store/disk/journal.ts";
import { Records } from "../../../app/src/store/disk/records.ts";
import { Usage } from "../../../app/src/store/disk/usage.ts";
import { MemoryStore } from "../../../app/src/store/memory-store.ts";
import { inNamespace } from "../../../app/src/store/owner.ts";
import { ResilientStore } from "../../../app/src/store/resilient-store.ts";
import type { Store } from "../../../app/src/store/store.ts";
import { MAX_OWNED } from "../../../app/src/store/write-queue.ts";
import { aFolder } from "./a-folder.ts";

const open: Store[] = [];

afterEach(async () => {
  for (const store of open.splice(0)) await store.close();
});

const stores: [string, () => Promise<Store>][] = [
  ["memory", () => Promise.resolve(new MemoryStore())],
  ["disk", async () => new Disk({ folder: await aFolder(), durability: "volume", quota: 4 * 1024 * 1024 })],
];

async function aStore(create: () => Promise<Store>) {
  const store = await create();
  open.push(store);
  const breaker = new Breaker({ name: "database", failureThreshold: 3, recoveryTimeout: 60_000 });
  return { breaker, resilient: new ResilientStore({ store, breaker, queues: [] }) };
}

const large = "x".repeat(60_000);

describe.each(stores)("a store in %s", (_where, create) => {
  it("refuses the writes of a principal who has stored too much, and neither fails nor refuses those of others", async () => {
    const { breaker, resilient } = await aStore(create);
    const write = (principal: string, key: string, value: unknown = large) =>
      resilient.write({ principal, key, value });
    const results = await Promise.allSettled(
      Array.from({ length: 200 }, (_, index) => write("subject:greedy", `key ${index}`)),
    );
    const refused = results.filter((result) => result.status === "rejected");

    expect(refused.length).toBeGreaterThan(100);
    expect(refused.every(({ reason }) => reason instanceof ToolInputError)).toBe(true);
    expect(String(refused[0]?.reason)).toMatch(/would take \d+ bytes, and may take 4194304/);
    expect(breaker.stats).toMatchObject({ state: "closed", failures: 0 });
    expect(await write("subject:other", "key 0")).toMatchObject({ status: "stored" });
    // What makes room is never refused.
    expect(await write("subject:greedy", "key 0", "small")).toMatchObject({ status: "stored" });
    expect(await write("subject:greedy", "key new", "small")).toMatchObject({ status: "stored" });
  });

  it("keeps records and idempotency keys of two principals apart", async () => {
    const { resilient } = await aStore(create);
    const one = { principal: "subject:one", key: "k", idempotencyKey: "first" };
    const other = { ...one, principal: "subject:two" };
    await resilient.write({ ...one, value: "of one" });
    expect(await resilient.write({ ...other, value: "of two" })).toEqual(
      expect.objectContaining({ key: "k", idempotencyKey: "first", replayed: false }),
    );

    expect(await resilient.read("subject:one", "k")).toMatchObject({ value: "of one", revision: 1 });
    expect(await resilient.read("subject:two", "k")).toMatchObject({ value: "of two", revision: 1 });
    expect(await resilient.read("", "k")).toBeUndefined();
    // A principal whose name looks like a namespace is not in it.
    expect(inNamespace("a\u001fb", "k")).not.toBe(inNamespace("a", "b\u001fk"));
  });
});

describe("a folder that another version of the app writes to as well", () => {
  it("counts what was there before, and what the other writes", async () => {
    const folder = await aFolder();
    const database = new DatabaseSync(join(folder, "store.sqlite"));
    database.exec(`
      CREATE TABLE records (key TEXT PRIMARY KEY, value TEXT NOT NULL, version INTEGER NOT NULL,
        idempotency_key TEXT NOT NULL, revision INTEGER NOT NULL) STRICT;
      CREATE TABLE writes (idempotency_key TEXT PRIMARY KEY, digest TEXT NOT NULL, version INTEGER NOT NULL) STRICT;
      INSERT INTO records VALUES ('before', '${"x".repeat(40_000)}', 1, 'before', 1)`);
    const disk = new Disk({ folder, durability: "volume", quota: 100_000 });
    open.push(disk);
    const put = (key: string) =>
      disk.put({ key, value: `"${"x".repeat(40_000)}"`, idempotencyKey: key, digest: key, version: 2 }, PLAIN_CALL);
    expect(await put("now")).toMatchObject({ kind: "taken" });
    expect(await put("too much")).toMatchObject({ kind: "refused" });
    database.exec("UPDATE records SET value = 'small' WHERE key = 'before'");
    database.close();

    expect(await put("too much")).toMatchObject({ kind: "taken" });
    expect(await put("again too much")).toMatchObject({ kind: "refused" });
  });
});

describe("the writes that a store on disk knows again", () => {
  it("are the latest of each owner, so that no owner can fill the disk with them", () => {
    const database = new DatabaseSync(":memory:");
    const records = new Records(database, 1_000_000);
    const usage = new Usage(database, 1_000_000, 100);
    const put = (principal: string, version: number) => {
      const key = inNamespace(principal, "k");
      const write = { key, value: "1", idempotencyKey: inNamespace(principal, String(version)), digest: "d", version };
      records.put(write);
      usage.trim(write);
    };
    put("subject:other", 1);
    for (let version = 1; version <= 1000; version += 1) put("subject:greedy", version);
    const remembered = database.prepare(
      "SELECT count(*) AS count, min(version) AS oldest FROM writes WHERE version > 1",
    );

    expect(remembered.get()).toEqual({ count: 100, oldest: 901 });
    expect(database.prepare("SELECT writes FROM usage ORDER BY owner").all()).toEqual([{ writes: 100 }, { writes: 1 }]);
  });
});

describe("a journal", () => {
  it("refuses the writes of an owner of whom too many wait, and takes those of others", () => {
    const journal = new Journal(new DatabaseSync(":memory:"));
    const add = (principal: string, index: number) =>
      journal.add({
        key: inNamespace(principal, "k"),
        value: "1",
        idempotencyKey: inNamespace(principal, String(index)),
        digest: "d",
        version: index + 1,
      });
    for (let index = 0; index < MAX_OWNED; index += 1) expect(add("subject:greedy", index).kind).toBe("taken");

    expect(add("subject:greedy", MAX_OWNED)).toMatchObject({ kind: "refused" });
    expect(add("subject:greedy", 0)).toMatchObject({ kind: "taken", replayed: true });
    expect(add("subject:other", 0)).toMatchObject({ kind: "taken" });
  });
});
