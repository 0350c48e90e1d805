import { DatabaseSync } from "node:sqlite";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { Breaker } from "../../../app/src/resilience/breaker.ts";
import { PLAIN_CALL } from "../../../app/src/resilience/call.ts";
import { within } from "../../../app/src/resilience/deadline.ts";
import { Rejected } from "../../../app/src/resilience/rejection.ts";
import { SYSTEM_TIME } from "../../../app/src/resilience/time.ts";
import { Disk } from "../../../app/src/store/disk/disk.ts";
import { Journal } from "../../../app/src/store/disk/journal.ts";
import { MemoryStore } from "../../../app/src/store/memory-store.ts";
import { Drain } from "../../../app/src/store/drain.ts";
import { ResilientStore } from "../../../app/src/store/resilient-store.ts";
import type { DurableStore, Store, Write } from "../../../app/src/store/store.ts";
import { MAX_REFUSALS } from "../../../app/src/store/write-queue.ts";
import { aFolder } from "./a-folder.ts";

// A busy machine may take its time.
jest.setTimeout(30_000);

const open: Store[] = [];

afterEach(async () => {
  for (const store of open.splice(0)) await store.close();
});

async function aDisk(): Promise<Disk> {
  const disk = new Disk({ folder: await aFolder(), durability: "volume" });
  open.push(disk);
  return disk;
}

const stores: [string, () => Promise<Store>][] = [
  ["memory", () => Promise.resolve(new MemoryStore())],
  ["disk", aDisk],
];

/** A write whose version is its number. */
const write = (version: number, more: Partial<Write> = {}): Write => ({
  key: "k",
  value: `"of ${version}"`,
  idempotencyKey: `write ${version}`,
  digest: `digest ${version}`,
  version,
  ...more,
});

/** Never answers. */
const hanging: DurableStore = {
  durability: "volume",
  put: () => new Promise(() => undefined),
  get: () => new Promise(() => undefined),
  ping: () => new Promise(() => undefined),
  replay: () => new Promise(() => undefined),
  close: () => Promise.resolve(),
};

describe.each(stores)("a store in %s", (_where, create) => {
  it("keeps the last of the writes that it was given, and counts them", async () => {
    const store = await create();
    await store.put(write(1), PLAIN_CALL);
    await store.put(write(2), PLAIN_CALL);

    expect(await store.get("k", PLAIN_CALL)).toEqual({
      value: '"of 2"',
      version: 2,
      idempotencyKey: "write 2",
      revision: 2,
    });
    expect(await store.get("another", PLAIN_CALL)).toBeUndefined();
  });

  it("takes a write once, and answers the same to each repetition", async () => {
    const store = await create();
    const first = await store.put(write(7), PLAIN_CALL);
    await store.put(write(8), PLAIN_CALL);
    const again = await store.put(write(9, { idempotencyKey: "write 7", digest: "digest 7" }), PLAIN_CALL);

    expect(first).toEqual({ kind: "taken", version: 7, replayed: false });
    expect(again).toEqual({ kind: "taken", version: 7, replayed: true });
    expect(await store.get("k", PLAIN_CALL)).toMatchObject({ value: '"of 8"', revision: 2 });
  });

  it("refuses another write under the same idempotency key", async () => {
    const store = await create();
    await store.put(write(1), PLAIN_CALL);

    expect(await store.put(write(2, { idempotencyKey: "write 1" }), PLAIN_CALL)).toMatchObject({ kind: "refused" });
    expect(await store.get("k", PLAIN_CALL)).toMatchObject({ value: '"of 1"' });
  });

  it("lets a write that comes now follow what is there, even from a process whose clock is behind", async () => {
    const store = await create();
    await store.put(write(1000), PLAIN_CALL);

    expect(await store.put(write(5), PLAIN_CALL)).toEqual({ kind: "taken", version: 1001, replayed: false });
    expect(await store.get("k", PLAIN_CALL)).toMatchObject({ value: '"of 5"', version: 1001 });
  });
});

describe("writes that were accepted earlier", () => {
  it("do not overtake a write that was accepted later and came first", async () => {
    const disk = await aDisk();
    await disk.put(write(20), PLAIN_CALL);
    await disk.replay([write(10), write(30), write(25)], PLAIN_CALL);

    expect(await disk.get("k")).toEqual({ value: '"of 30"', version: 30, idempotencyKey: "write 30", revision: 2 });
  });

  it("come to the same in whatever order they arrive, where versions are equal too", async () => {
    const writes = [write(1), write(2, { idempotencyKey: "a" }), write(2, { idempotencyKey: "b", value: '"b"' })];
    const orders = [
      [0, 1, 2],
      [2, 1, 0],
      [1, 2, 0],
      [2, 0, 1],
    ];
    for (const order of orders) {
      const disk = await aDisk();
      for (const index of order) await disk.replay(writes.slice(index, index + 1), PLAIN_CALL);
      expect(await disk.get("k")).toMatchObject({ value: '"b"', version: 2, idempotencyKey: "b" });
    }
  });

  it("are taken once, however often they are brought", async () => {
    const disk = await aDisk();
    for (let time = 0; time < 3; time += 1) await disk.replay([write(1), write(2)], PLAIN_CALL);

    expect(await disk.get("k")).toMatchObject({ value: '"of 2"', revision: 2 });
  });
});

describe("the journal", () => {
  it("gives out writes in the order in which they came, and those last that the store has refused", async () => {
    const { journal } = await aDisk();
    for (const version of [3, 1, 2]) await journal.add(write(version), PLAIN_CALL);
    const [first] = await journal.take(1);
    await journal.settle({ taken: [], refused: [{ id: first?.id ?? "", reason: "too odd" }] });

    expect((await journal.take(10)).map((entry) => entry.write.version)).toEqual([1, 2, 3]);
  });

  it("makes a dead letter of what was refused often enough", async () => {
    const { journal } = await aDisk();
    await journal.add(write(1), PLAIN_CALL);
    await journal.add(write(2), PLAIN_CALL);
    const [first] = await journal.take(1);
    const settlement = { taken: [], refused: [{ id: first?.id ?? "", reason: "too odd" }] };
    for (let time = 1; time < MAX_REFUSALS; time += 1)
      expect(await journal.settle(settlement)).toMatchObject({ depth: 2, deadLetters: 0 });

    expect(await journal.settle(settlement)).toEqual({ depth: 1, oldest: 2, deadLetters: 1 });
    expect((await journal.take(10)).map((entry) => entry.write)).toEqual([write(2)]);
  });
});

describe("a journal that has filled up", () => {
  it("takes a write as fast as an empty one", () => {
    const fastest = (journal: Journal, first: number) => {
      const took = Array.from({ length: 50 }, (_, index) => {
        const start = performance.now();
        journal.add(write(first + index));
        return performance.now() - start;
      });
      return Math.min(...took);
    };
    const empty = new Journal(new DatabaseSync(":memory:"));
    const full = new Journal(new DatabaseSync(":memory:"));
    const value = JSON.stringify("x".repeat(60_000));
    for (let version = 1; version <= 500; version += 1) full.add(write(version, { value }));

    expect(fastest(full, 1000)).toBeLessThan(10 * fastest(empty, 1000));
  });
});

describe("a disk that is given more than it can write", () => {
  it("keeps so much waiting and no more, says so at once, and takes more when there is room again", async () => {
    const disk = await aDisk();
    await disk.put(write(1), PLAIN_CALL);
    const value = JSON.stringify("x".repeat(60_000));
    // All in one turn, in which none can be answered, as when the disk hangs.
    const writes = Array.from({ length: 1000 }, (_, index) => disk.put(write(index + 2, { value }), PLAIN_CALL));
    const results = await Promise.allSettled(writes);
    const taken = results.filter(({ status }) => status === "fulfilled").length;

    expect(taken).toBeGreaterThan(400);
    expect(taken).toBeLessThan(600);
    await expect(writes.at(-1)).rejects.toBeInstanceOf(Rejected);
    expect(await disk.put(write(2000, { value }), PLAIN_CALL)).toMatchObject({ kind: "taken" });
  });
});

describe("a call whose time is over before the store's breaker gives up", () => {
  it("has its write in a queue by then", async () => {
    const { journal } = await aDisk();
    const breaker = new Breaker({ name: "database", failureThreshold: 3, recoveryTimeout: 1000, timeout: 60_000 });
    const store = new ResilientStore({ store: hanging, breaker, queues: [journal] });
    const receipt = within((call) => store.write({ key: "k", value: 1 }, call), PLAIN_CALL, 6000, SYSTEM_TIME);

    expect(await receipt).toMatchObject({ status: "queued", where: "journal" });
  });
});

describe("the end of a process", () => {
  it("does not wait for a store that hangs", async () => {
    const disk = await aDisk();
    await disk.journal.add(write(1), PLAIN_CALL);
    const { promise: asked, resolve: onAsked } = Promise.withResolvers<undefined>();
    const hangs: DurableStore = {
      ...hanging,
      replay: () => {
        onAsked(undefined);
        return new Promise(() => undefined);
      },
    };
    const breaker = new Breaker({ name: "database", failureThreshold: 3, recoveryTimeout: 1000 });
    const drain = new Drain({ queue: disk.journal, store: hangs, breaker });
    await asked;
    await drain.close();

    expect(await disk.journal.take(10)).toHaveLength(1);
  });
});

describe("a store in memory", () => {
  it("refuses what it has no room for rather than forget what it has promised to keep", async () => {
    const store = new MemoryStore();
    const value = JSON.stringify("x".repeat(60_000));
    const put = (index: number) => store.put(write(index + 1, { key: `key ${index}`, value }));
    let stored = 0;
    while ((await put(stored)).kind === "taken") stored += 1;

    expect(stored).toBeGreaterThan(100);
    expect(await put(stored)).toEqual({ kind: "refused", reason: expect.stringContaining("full at 16777216 bytes") });
    expect(await store.get("key 0")).toMatchObject({ value });
  });

  it("takes any number of writes to one record, and knows the latest of them again", async () => {
    const store = new MemoryStore();
    for (let version = 1; version <= 50_000; version += 1) await store.put(write(version));

    expect(await store.put(write(49_000))).toMatchObject({ version: 49_000, replayed: true });
    expect(await store.get("k")).toMatchObject({ revision: 50_000 });
  });
});
