import { AssertionError } from "node:assert";
import { describe, expect, it, jest } from "@jest/globals";
import { Cache } from "../../../app/src/cache/cache.ts";
import { Breaker } from "../../../app/src/resilience/breaker.ts";
import { CallerCall } from "../../../app/src/resilience/call.ts";
import { Fallback } from "../../../app/src/resilience/fallback.ts";
import { LoadBalancer } from "../../../app/src/resilience/load-balancer.ts";
import { isProgrammingError } from "../../../app/src/resilience/programming-error.ts";
import { Retry } from "../../../app/src/resilience/retry.ts";
import { settled } from "./fake-clock.ts";
import { startUpstream } from "../outbound/upstream.ts";

/** Fails as code does that has a mistake in it. */
const mistaken = (): Promise<never> => (undefined as unknown as { f: () => Promise<never> }).f();

const rejectionOf = (work: () => unknown) =>
  Promise.resolve()
    .then(work)
    .then(
      () => undefined,
      (error: unknown) => error,
    );

describe("a programming error", () => {
  it.each([
    ["a property of undefined", mistaken],
    ["an argument that Node refuses", () => Buffer.alloc(-1)],
    ["a string that is too long", () => "a".repeat(2 ** 31)],
    ["a failed assertion", () => Promise.reject(new AssertionError({ message: "no" }))],
  ])("is what comes of %s", async (_what, work) => {
    expect(isProgrammingError(await rejectionOf(work))).toBe(true);
  });

  it("is not what the network or an API did", async () => {
    const upstream = await startUpstream((_request, response) => {
      response.writeHead(200, { "content-length": "100" }).flushHeaders();
      setImmediate(() => response.destroy());
    });
    const brokenOff = await rejectionOf(async () => (await fetch(upstream.origin)).text());
    await upstream.close();
    const errors = [
      brokenOff,
      await rejectionOf(() => fetch(upstream.origin)),
      await rejectionOf(() => JSON.parse("{") as unknown),
      new Error("down"),
    ];

    expect(errors.map((error) => (error as Error).name)).toEqual(["TypeError", "TypeError", "SyntaxError", "Error"]);
    expect(errors.map(isProgrammingError)).toEqual([false, false, false, false]);
  });

  it("does not count against a dependency", async () => {
    const breaker = new Breaker({ name: "api", failureThreshold: 1, recoveryTimeout: 1000 });
    const other = new Breaker({ name: "other", failureThreshold: 1, recoveryTimeout: 1000, judge: () => "failure" });
    for (const each of [breaker, other]) await expect(each.execute(mistaken)).rejects.toThrow(TypeError);

    expect([breaker.stats, other.stats]).toMatchObject([
      { state: "closed", failures: 0 },
      { state: "closed", failures: 0 },
    ]);
    const endpoints = [breaker, other].map((each) => ({ name: each.name, target: each.name, breaker: each }));
    const balancer = new LoadBalancer({ name: "pool", endpoints, judge: () => "failure" });
    for (let turn = 0; turn < 4; turn += 1)
      await expect(balancer.execute(mistaken, "round-robin")).rejects.toThrow(TypeError);
    expect(balancer.endpoints.some(({ ejected }) => ejected)).toBe(false);
  });

  it("is not repeated, and nothing answers in its place", async () => {
    let calls = 0;
    const work = () => {
      calls += 1;
      return mistaken();
    };
    const retry = new Retry({ name: "api", baseDelay: 1, isRetryable: () => true });
    const fallback = new Fallback({ answer: () => "instead", handles: () => true });

    await expect(
      fallback.execute((call) => retry.execute(work, call), new CallerCall({ repeatable: true })),
    ).rejects.toThrow(TypeError);
    expect(calls).toBe(1);
  });
});

describe("a value that was kept", () => {
  it("does not stand in for a programming error", async () => {
    const cache = new Cache<string>({ name: "values", ttl: 0, staleIfError: 60_000 });
    await cache.fetch("key", () => Promise.resolve("kept"));

    expect(await cache.fetch("key", () => Promise.reject(new Error("down")))).toMatchObject({ source: "stale" });
    await expect(cache.fetch("key", mistaken)).rejects.toThrow(TypeError);
  });

  it("is answered while it is refreshed, and a mistake in the refreshing becomes a warning of the process", async () => {
    const cache = new Cache<string>({ name: "values", ttl: 0, staleWhileRevalidate: 60_000 });
    await cache.fetch("key", () => Promise.resolve("kept"));
    const warn = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);

    expect(await cache.fetch("key", mistaken)).toMatchObject({ value: "kept", source: "stale" });
    await settled();
    expect(warn.mock.calls).toMatchObject([[expect.any(String), { type: "TypeError" }]]);
    warn.mockRestore();
  });
});
