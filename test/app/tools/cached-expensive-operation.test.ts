import { beforeEach, describe, expect, it } from "@jest/globals";
import { Caches } from "../../../app/src/cache/caches.ts";
import { WarmUp } from "../../../app/src/cache/warm-up.ts";
import { Bulkhead } from "../../../app/src/resilience/bulkhead.ts";
import { DeadlineExceeded } from "../../../app/src/resilience/deadline.ts";
import { cachedExpensiveOperation } from "../../../app/src/tools/cached-expensive-operation.ts";
import type { Tool } from "../../../app/src/tools/tool.ts";
import { call } from "./calling.ts";

const LARGEST_PRIME = 99_999_999_999_973;

let caches: Caches;
let tool: Tool;
let warmUp: WarmUp;

beforeEach(() => {
  caches = new Caches({ ttl: 60_000, maxBytes: 1_000_000, compressAbove: 1024 });
  warmUp = new WarmUp();
  const computations = new Bulkhead({ name: "computations", maxConcurrent: 1, maxQueue: 10 });
  tool = cachedExpensiveOperation({ caches, computations, warmUp });
});

describe("cached_expensive_operation", () => {
  it.each([
    [0, "0"],
    [1, "1"],
    [2, "1"],
    [10, "55"],
    [100, "354224848179261915075"],
  ])("computes Fibonacci number %i as %s", async (n, value) => {
    const { data, text } = await call(tool, { operation: "fibonacci", n });

    expect(data).toMatchObject({ operation: "fibonacci", n, value, source: "computed" });
    expect(text).toBe(`Fibonacci number ${n} is ${value}`);
  });

  it("gives a large number with all its digits to programs, and its first ones to models", async () => {
    const { data, text } = await call(tool, { operation: "fibonacci", n: 100_000 });

    expect((data as { value: string }).value).toMatch(/^25974069347221724166\d{20859}49895374653428746875$/);
    expect(text).toContain("(20899 digits in all)");
    expect(text.length).toBeLessThan(150);
  });

  it("knows the primes up to 1000 and the least factor of every other number", async () => {
    for (let n = 0; n < 1000; n += 1) {
      const factor = Array.from({ length: n }, (_, index) => index).find((index) => index > 1 && n % index === 0);
      const { data } = await call(tool, { operation: "prime_check", n });
      expect(data).toMatchObject({ prime: n > 1 && factor === undefined, ...(factor && { leastFactor: factor }) });
    }
  });

  it.each([
    [LARGEST_PRIME, { prime: true }, /is a prime/],
    [9_999_991 * 9_999_973, { prime: false, leastFactor: 9_999_973 }, /9999973 divides it/],
  ])("checks %i", async (n, expected, sentence) => {
    const { data, text } = await call(tool, { operation: "prime_check", n });

    expect(data).toMatchObject(expected);
    expect(text).toMatch(sentence);
  });

  it("computes the same but once, for calls one after the other and at the same time", async () => {
    const ask = () => call(tool, { operation: "prime_check", n: LARGEST_PRIME });
    const together = await Promise.all([ask(), ask(), ask()]);
    const later = await ask();

    expect(together.map(({ data }) => (data as { source: string }).source)).toEqual(Array(3).fill("computed"));
    expect(later.data).toMatchObject({ prime: true, source: "memory" });
    expect(later.text).toContain("remembered");
    expect(caches.stats).toMatchObject([{ name: "computations", loads: 1, coalesced: 2, hits: 1 }]);
  });

  it("answers from memory what was warmed, and warms the rest although one cannot be", async () => {
    const failed: string[] = [];
    const entries = ["100", "100001", "200"].map((argument) => ({ source: "fibonacci", argument }));
    await warmUp.run(entries, ({ argument }, error) => failed.push(`${argument}: ${String(error)}`));

    expect(failed).toEqual(["100001: ToolInputError: n must be at most 100000 for fibonacci, not 100001"]);
    expect((await call(tool, { operation: "fibonacci", n: 200 })).data).toMatchObject({ source: "memory" });
  });

  it("makes a pod wait no longer for its caches than it may", async () => {
    const failed: unknown[] = [];
    warmUp.add("hangs", () => new Promise(() => undefined));
    const entries = ["hangs", "fibonacci"].map((source) => ({ source, argument: "100000" }));
    await warmUp.run(entries, (_entry, error) => failed.push(error), 50);

    expect(failed).toEqual([expect.any(DeadlineExceeded), expect.any(DeadlineExceeded)]);
  });

  it("never takes one operation's result for the other's", async () => {
    await call(tool, { operation: "fibonacci", n: 7 });

    expect((await call(tool, { operation: "prime_check", n: 7 })).data).toMatchObject({ prime: true });
  });

  it("reports progress, and lets others have their turn meanwhile", async () => {
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    const { progress, data } = await call(tool, { operation: "prime_check", n: LARGEST_PRIME });
    clearInterval(timer);

    const shares = progress.map(({ done }) => done);
    expect(shares.length).toBeGreaterThan(3);
    expect(shares).toEqual([...shares].sort((one, other) => one - other));
    expect(shares.every((share) => share > 0 && share < 1)).toBe(true);
    expect(turns).toBeGreaterThan(3);
    expect((data as { computedInMs: number }).computedInMs).toBeGreaterThan(0);
  });

  it("stops when its caller goes away, and computes it for the next one", async () => {
    const controller = new AbortController();
    const cancelled = call(tool, { operation: "fibonacci", n: 100_000 }, { signal: controller.signal });
    setImmediate(() => {
      controller.abort(new Error("gone"));
    });
    expect((await cancelled).text).toBe("cancelled");

    expect((await call(tool, { operation: "prime_check", n: 7 })).data).toMatchObject({ prime: true });
    expect(caches.stats).toMatchObject([{ entries: 1 }]);
  });

  it("says how large n may be", async () => {
    const { text, error } = await call(tool, { operation: "fibonacci", n: 100_001 });

    expect(text).toBe("n must be at most 100000 for fibonacci, not 100001");
    expect(error).toEqual({ kind: "caller_error" });
    await expect(call(tool, { operation: "prime_check", n: 1e15 })).rejects.toThrow("from 0 to 100000000000000");
    await expect(call(tool, { operation: "prime_check", n: 1.5 })).rejects.toThrow();
    await expect(call(tool, { operation: "factorial", n: 1 })).rejects.toThrow("'fibonacci' or 'prime_check'");
  });
});
