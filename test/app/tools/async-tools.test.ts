import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { RateLimiter } from "../../../app/src/resilience/rate-limiter.ts";
import { asyncBatchRequests } from "../../../app/src/tools/async-batch-requests.ts";
import { asyncParallelProcessing } from "../../../app/src/tools/async-parallel-processing.ts";
import { rateLimitedOperation } from "../../../app/src/tools/rate-limited-operation.ts";
import { newOutbound, type NewOutbound } from "../outbound/new-outbound.ts";
import { startUpstream, type TestUpstream } from "../outbound/upstream.ts";
import { fakeTime } from "../resilience/fake-clock.ts";
import { call } from "./calling.ts";

describe("async_batch_requests", () => {
  let upstream: TestUpstream;
  let own: NewOutbound;

  beforeEach(async () => {
    upstream = await startUpstream();
    own = newOutbound({ OUTBOUND_ALLOW: upstream.origin, OUTBOUND_ALLOW_PRIVATE: "127.0.0.1" });
  });

  afterEach(async () => {
    own.outbound.close();
    await upstream.close();
  });

  const requests = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ url: `${upstream.origin}/${index}` }));

  it("answers each request in order, and lets none that fails fail the others", async () => {
    upstream.answerWith((request, response) => {
      if (request.url === "/1") response.writeHead(500).end();
      else response.writeHead(request.url === "/2" ? 404 : 200, { "content-type": "text/plain" }).end(request.url);
    });
    const [first, second, third] = requests(3);
    const { data, progress, text } = await call(asyncBatchRequests(own.outbound), {
      requests: [first, { ...second, method: "POST" }, third, { url: "https://evil.example/" }, { url: "nonsense" }],
      concurrency: 2,
    });

    expect(data).toMatchObject({
      succeeded: 2,
      failed: 3,
      results: [
        { ok: true, status: 200, body: "/0" },
        { ok: false, kind: "upstream_error", error: expect.stringContaining("answered 500") },
        { ok: true, status: 404, body: "/2" },
        { ok: false, kind: "caller_error", error: expect.stringContaining("may not be called") },
        { ok: false, kind: "caller_error", error: expect.stringContaining("is not a URL") },
      ],
    });
    expect(progress.map(({ done, total }) => [done, total])).toEqual([1, 2, 3, 4, 5].map((done) => [done, 5]));
    expect(text).toContain("2 of 5 were answered.\n1. ");
  });

  it("has no more requests under way than it may", async () => {
    let most = 0;
    let now = 0;
    upstream.answerWith((_request, response) => {
      now += 1;
      most = Math.max(most, now);
      setTimeout(() => {
        now -= 1;
        response.end();
      }, 5);
    });
    const { data } = await call(asyncBatchRequests(own.outbound), { requests: requests(12), concurrency: 3 });

    expect(data).toMatchObject({ succeeded: 12 });
    expect(most).toBe(3);
  });

  it("reports what was not answered when its time is over, and blames no upstream", async () => {
    upstream.answerWith((request, response) => {
      if (request.url === "/0") response.end();
    });
    const { data } = await call(asyncBatchRequests(own.outbound), {
      requests: requests(4),
      concurrency: 2,
      timeoutMs: 200,
    });

    expect(data).toMatchObject({ succeeded: 1, failed: 3, results: [{ ok: true }, {}, {}, {}] });
    expect((data as { results: { kind?: string }[] }).results.slice(1).map(({ kind }) => kind)).toEqual([
      "timeout",
      "timeout",
      "timeout",
    ]);
    expect(own.breakers.stats[0]).toMatchObject({ failures: 0 });
  });

  it("sends no more once it is cancelled, and cuts off what is under way", async () => {
    const abort = new AbortController();
    const cutOff = Promise.withResolvers<undefined>();
    upstream.answerWith((request) => {
      request.socket.once("close", () => {
        cutOff.resolve(undefined);
      });
      abort.abort();
    });
    await call(asyncBatchRequests(own.outbound), { requests: requests(10), concurrency: 1 }, { signal: abort.signal });
    await cutOff.promise;

    expect(upstream.asked).toHaveLength(1);
  });

  it("shows the beginning of long answers", async () => {
    upstream.answerWith((_request, response) => {
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify("x".repeat(100_000)));
    });
    const { data } = await call(asyncBatchRequests(own.outbound), { requests: requests(1) });

    const [result] = (data as { results: { body: string; truncated: boolean }[] }).results;
    expect([result?.body.length, result?.truncated]).toEqual([16 * 1024, true]);
  });
});

describe("async_parallel_processing", () => {
  const tool = asyncParallelProcessing();

  it.each([
    ["sha256", "abc", { sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" }],
    ["word_count", "two words\nand a line", { words: 5, lines: 2, characters: 20 }],
    ["word_count", "", { words: 0, lines: 0, characters: 0 }],
    ["json_validate", "[1]", { valid: true }],
    ["gzip_size", "x".repeat(1000), { bytes: 1000, packedBytes: expect.any(Number) }],
  ])("does %s", async (operation, text, result) => {
    expect((await call(tool, { operation, items: [text] })).data).toMatchObject({ results: [result] });
  });

  it("says what is wrong with what is not JSON", async () => {
    const { data } = await call(tool, { operation: "json_validate", items: ['{"a":}'] });

    expect(data).toMatchObject({ results: [{ valid: false, problem: expect.stringContaining("Unexpected token") }] });
  });

  it("keeps the order of the items, and reports progress", async () => {
    const items = Array.from({ length: 20 }, (_, index) => "x".repeat(index));
    const { data, progress } = await call(tool, { operation: "word_count", items, concurrency: 8 });

    expect((data as { results: { characters: number }[] }).results.map(({ characters }) => characters)).toEqual(
      items.map(({ length }) => length),
    );
    expect(progress.at(-1)).toMatchObject({ done: 20, total: 20 });
  });

  it("lets others have their turn in between", async () => {
    let turns = 0;
    const ticking = setInterval(() => (turns += 1), 0);
    await call(tool, { operation: "word_count", items: Array.from({ length: 100 }, () => "a ".repeat(10_000)) });
    clearInterval(ticking);

    expect(turns).toBeGreaterThan(2);
  });

  it("stops when it is cancelled", async () => {
    const abort = new AbortController();
    const stopping = call(tool, { operation: "sha256", items: Array(100).fill("x") }, { signal: abort.signal });
    abort.abort();
    const { result, progress } = await stopping;

    expect(result.isError).toBe(true);
    expect(progress.length).toBeLessThan(100);
  });

  it("refuses more than it can do", async () => {
    await expect(call(tool, { operation: "sha256", items: Array(101).fill("") })).rejects.toThrow("at most 100");
    await expect(call(tool, { operation: "sha256", items: ["x".repeat(20_001)] })).rejects.toThrow("20000 characters");
    await expect(call(tool, { operation: "rm", items: ["x"] })).rejects.toThrow("must be one of sha256, ");
  });
});

describe("rate_limited_operation", () => {
  it("counts down what is left, then says when to come again; each client has its own", async () => {
    const { clock, time } = fakeTime();
    const tool = rateLimitedOperation(new RateLimiter({ name: "limit", rate: 2, burst: 3, time }));
    const ask = (client: string) => call(tool, { operation: "word_count", text: "a b" }, { client });

    const left: unknown[] = [];
    for (let turn = 0; turn < 3; turn += 1) left.push((await ask("one")).data);
    expect(left).toMatchObject([2, 1, 0].map((remaining) => ({ result: { words: 2 }, remaining })));
    expect(left[0]).toMatchObject({ limit: { perSecond: 2, burst: 3 } });
    const { error, text } = await ask("one");
    expect(error).toEqual({ kind: "rate_limited", retryAfterMs: 500 });
    expect(text).toBe("limit: too many calls; try again in 500 ms");
    expect((await ask("other")).data).toMatchObject({ remaining: 2 });

    clock.advance(500);
    expect((await ask("one")).data).toMatchObject({ remaining: 0 });
  });
});
