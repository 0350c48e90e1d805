import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { LRUCache } from "lru-cache";
import { cached } from "../app/src/cache/cached.ts";
import { Cache } from "../app/src/cache/cache.ts";
import { keyOf } from "../app/src/cache/key.ts";
import { PLAIN_CALL } from "../app/src/resilience/call.ts";
import { median, type Measurement } from "./measurement.ts";
import { sharedCache } from "./shared-cache.ts";

const ROUNDS = 11;
const LOOKS = 300_000;
const ENTRIES = 100_000;
const HOT = 1000;
const TTL = 600_000;
const ROOM = 1e9;

interface Value {
  readonly number: number;
}

const values = Array.from({ length: ENTRIES }, (_, number): Value => ({ number }));
const keys = values.map(({ number }) => keyOf([`city ${number}`]));

/** What the cache costs, beside the bare library that it keeps its entries in. */
export async function cache(): Promise<Measurement[]> {
  return [...(await hits()), ...(await memory()), ...(await sharedCache())];
}

async function fill(): Promise<Cache<Value>> {
  const filled = new Cache<Value>({ name: "cities", ttl: TTL, maxBytes: ROOM });
  for (const [index, key] of keys.entries()) {
    const value = values[index];
    if (value !== undefined) await filled.fetch(key, () => Promise.resolve(value));
  }
  return filled;
}

function fillLibrary(options: LRUCache.Options<string, Value, unknown>): LRUCache<string, Value> {
  const filled = new LRUCache<string, Value>(options);
  for (const [index, key] of keys.entries()) filled.set(key, values[index], options.maxSize ? { size: 1 } : {});
  return filled;
}

async function hits(): Promise<Measurement[]> {
  const ours = await fill();
  const sized = fillLibrary({ maxSize: ROOM, ttl: TTL });
  const counted = fillLibrary({ max: ENTRIES, ttl: TTL });
  const cases: { what: string; bar?: number; get: (key: string) => unknown; taken: number[] }[] = [
    { what: "bare lru-cache with a size limit and a ttl", get: (key) => sized.get(key), taken: [] },
    { what: "a hit in memory", bar: 0.2, get: (key) => ours.get(key), taken: [] },
    { what: "bare lru-cache with a count limit and a ttl", get: (key) => counted.get(key), taken: [] },
  ];
  // In turns, so that whatever else the machine does in between meets all of them.
  for (let round = -2; round < ROUNDS; round += 1) {
    for (const { get, taken } of cases) {
      const microseconds = look(get);
      if (round >= 0) taken.push(microseconds);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  const [bare = NaN, hit = NaN] = cases.map(({ taken }) => median(taken));
  return [
    ...cases.map(({ what, bar, taken }): Measurement => ({
      what,
      value: median(taken),
      unit: "µs",
      runs: ROUNDS,
      ...(bar !== undefined && { bar }),
    })),
    // It reads the clock once: as much again as to find an entry, and a thousandth of a call.
    { what: "a hit, of the bare lru-cache", value: hit / bare, unit: "×", runs: ROUNDS },
    ...(await calls(ours)),
  ];
}

/** Microseconds that one of many looks at the hot keys takes. */
function look(get: (key: string) => unknown): number {
  let found = 0;
  const start = performance.now();
  for (let round = 0; round < LOOKS / HOT; round += 1)
    for (let index = 0; index < HOT; index += 1) if (get(keys[index] ?? "") !== undefined) found += 1;
  const microseconds = ((performance.now() - start) * 1000) / LOOKS;
  if (found !== LOOKS) throw new Error(`${LOOKS - found} of ${LOOKS} looks found nothing`);
  return microseconds;
}

/** Hits by the ways that wait for an answer and therefore allocate a promise. */
async function calls(filled: Cache<Value>): Promise<Measurement[]> {
  const load = () => Promise.reject(new Error("there is nothing to load"));
  const wrapped = cached<[string], Value>(load, { cache: filled });
  const cases: { what: string; once: (index: number) => Promise<unknown>; taken: number[] }[] = [
    { what: "  by fetch, which is awaited", once: (index) => filled.fetch(keys[index] ?? "", load), taken: [] },
    {
      what: "  by a wrapped function, which makes its key",
      once: (index) => wrapped(PLAIN_CALL, `city ${index}`),
      taken: [],
    },
  ];
  for (let round = -1; round < ROUNDS; round += 1) {
    for (const { once, taken } of cases) {
      const start = performance.now();
      for (let call = 0; call < LOOKS / 3; call += 1) await once(call % HOT);
      if (round >= 0) taken.push(((performance.now() - start) * 3000) / LOOKS);
    }
  }
  return cases.map(({ what, taken }) => ({ what, value: median(taken), unit: "µs", runs: ROUNDS }));
}

/** What an entry holds in memory besides its value; its key, which lives nowhere else, is counted. */
async function memory(): Promise<Measurement[]> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  const before = process.memoryUsage().heapUsed;
  const filled = new Cache<Value>({ name: "cities", ttl: TTL, maxBytes: ROOM });
  for (const value of values) await filled.fetch(keyOf([`City ${value.number}`]), () => Promise.resolve(value));
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  const { entries } = filled.stats;
  const bytes = (process.memoryUsage().heapUsed - before) / entries;
  return [{ what: "an entry's memory over its value, with its key", value: bytes, unit: "B", bar: 200, runs: 1 }];
}
