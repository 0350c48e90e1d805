import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { resilientApiCall } from "../../../app/src/tools/resilient-api-call.ts";
import { retryApiCall } from "../../../app/src/tools/retry-api-call.ts";
import { newOutbound, type NewOutbound } from "../outbound/new-outbound.ts";
import { startUpstream, type Respond, type TestUpstream } from "../outbound/upstream.ts";
import { call } from "./calling.ts";

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

const saying =
  (status: number, type: string, body: string | Buffer): Respond =>
  (_request, response) => {
    response.writeHead(status, { "content-type": type }).end(body);
  };

/** Fails so many times and then answers. */
const failingFirst = (times: number, headers: Record<string, string> = {}): Respond => {
  let asked = 0;
  return (_request, response) => {
    asked += 1;
    if (asked <= times) response.writeHead(503, headers).end();
    else response.end("at last");
  };
};

describe("resilient_api_call", () => {
  const ask = (args: object) => call(resilientApiCall(own.outbound), { url: `${upstream.origin}/`, ...args });

  it("answers with the upstream's status, telling headers and JSON, and how it went", async () => {
    const { data, text } = await ask({ url: `${upstream.origin}/items`, method: "POST", body: { a: [1] } });

    expect(data).toEqual({
      status: 200,
      url: `${upstream.origin}/items`,
      headers: { "content-type": "application/json", date: expect.any(String) },
      body: { path: "/items", body: '{"a":[1]}' },
      truncated: false,
      attempts: 1,
      breaker: "closed",
      durationMs: expect.any(Number),
    });
    expect(text).toBe(`${upstream.origin}/items answered 200:\n{"path":"/items","body":"{\\"a\\":[1]}"}`);
    expect(upstream.asked[0]?.headers["content-type"]).toBe("application/json");
  });

  it.each([
    ["text in its charset", "text/plain; charset=iso-8859-1", Buffer.from([0xe9]), "é"],
    ["text in a charset that nobody knows", "text/plain; charset=klingon", "é", "é"],
    ["what calls itself JSON and is not", "application/json", "{", "{"],
    [
      "JSON that is deeper than anybody reads, as text",
      "application/json",
      "[".repeat(99) + "]".repeat(99),
      "[".repeat(99) + "]".repeat(99),
    ],
    ["problem details", "application/problem+json", '{"title":"no"}', { title: "no" }],
    ["no image", "image/png", Buffer.from([1, 2, 3]), undefined],
  ])("shows %s", async (_what, type, body, shown) => {
    upstream.answerWith(saying(200, type, body));

    expect(((await ask({})).data as { body?: unknown }).body).toEqual(shown);
  });

  it("says that an answer has come whose body cannot be decoded, and why", async () => {
    upstream.answerWith((_request, response) => {
      response.writeHead(201, { "content-type": "text/plain", "content-encoding": "utf-8" }).end("done");
    });
    const { data, text } = await ask({ method: "POST", body: "x" });

    expect(data).toMatchObject({ status: 201, unreadable: "its coding was not requested: 'utf-8'" });
    expect(data).not.toHaveProperty("body");
    expect(text).toBe(
      `${upstream.origin}/ answered 201, but its body cannot be decoded: its coding was not requested: 'utf-8'.`,
    );
  });

  it("leaves out the character that a cut went through", async () => {
    upstream.answerWith(saying(200, "text/plain; charset=utf-8", `x${"é".repeat(200_000)}`));
    const { data } = await ask({});

    expect(data).toMatchObject({ truncated: true, body: expect.stringMatching(/^xé+$/) });
  });

  it("sends again what may be repeated, and says how often it was sent", async () => {
    upstream.answerWith(failingFirst(2));

    expect((await ask({})).data).toMatchObject({ status: 200, body: "at last", attempts: 3 });
  });

  it("says what an upstream that fails has said, and when to try again", async () => {
    upstream.answerWith((_request, response) => {
      response.writeHead(503, { "retry-after": "20" }).end();
    });
    const { text, error } = await ask({ method: "POST" });

    expect(text).toBe(`${upstream.origin} answered 503 Service Unavailable. Try again in 20000 ms.`);
    expect(error).toEqual({ kind: "upstream_error", retryAfterMs: 20_000 });
  });

  it("fails at once while the breaker is open, and says when to try again", async () => {
    own.outbound.upstreams.of(upstream.origin).breaker.forceOpen();
    const { text, error } = await ask({});

    expect(error).toEqual({ kind: "rejected", retryAfterMs: 30_000 });
    expect(text).toContain(`upstream:${upstream.origin}: the circuit breaker is open; try again in 30000 ms`);
    expect(upstream.asked).toEqual([]);
  });

  it("waits as long as the caller is willing to, and blames nobody", async () => {
    upstream.answerWith(() => undefined);
    const { text, error } = await ask({ timeoutMs: 100 });

    expect(error).toEqual({ kind: "timeout" });
    expect(text).toContain("took longer than the 100 ms it had");
    expect(own.breakers.stats[0]).toMatchObject({ failures: 0 });
  });

  it("stops when the caller goes away", async () => {
    const closed = Promise.withResolvers<undefined>();
    const abort = new AbortController();
    upstream.answerWith((request) => {
      request.socket.once("close", () => {
        closed.resolve(undefined);
      });
      abort.abort();
    });
    await call(resilientApiCall(own.outbound), { url: upstream.origin }, { signal: abort.signal });

    await closed.promise;
  });

  it.each([
    [
      "another host",
      { url: "https://example.com/" },
      /^https:\/\/example\.com may not be called: OUTBOUND_ALLOW on this server lists http:\/\/127\.0\.0\.1:\d+$/,
    ],
    ["what is no URL", { url: "example.com/path" }, /^'example\.com\/path' is not a URL/],
    ["another scheme", { url: "ftp://example.com/" }, /^only https and http URLs may be called, not 'ftp:'/],
    ["a user in the URL", { url: "http://me:secret@127.0.0.1/" }, /^a URL may not carry a user or a password/],
    ["a body for GET", { body: "x" }, /^a GET request has no body/],
    ["a body that is too large", { method: "POST", body: "x".repeat(300_000) }, /at most 262144 bytes, not 300000/],
  ])("tells who asks for %s what to do instead", async (_what, args, expected) => {
    const { text, error } = await ask(args);

    expect(text).toMatch(expected);
    expect(error).toEqual({ kind: "caller_error" });
  });

  it("names an argument that there is not, and those there are", async () => {
    await expect(ask({ uri: "https://example.com" })).rejects.toThrow(
      "there is no argument 'uri'; there are url, method, headers, body, timeoutMs",
    );
  });

  it("names ten of the hosts that may be called, and counts the others", async () => {
    const hosts = Array.from({ length: 12 }, (_, index) => `h${index}.example`).join(",");
    const { text } = await call(resilientApiCall(newOutbound({ OUTBOUND_ALLOW: hosts }).outbound), {
      url: "https://example.com",
    });

    expect(text).toMatch(/lists https:\/\/h0\.example, .*https:\/\/h9\.example and 2 more$/);
  });

  it("says which setting is empty when nothing may be called", async () => {
    const { text } = await call(resilientApiCall(newOutbound({}).outbound), { url: "https://example.com" });

    expect(text).toBe(
      "https://example.com may not be called: OUTBOUND_ALLOW, which lists what may be, is empty on this server",
    );
  });
});

describe("retry_api_call", () => {
  const ask = (args: object) =>
    call(retryApiCall(own.outbound), { url: `${upstream.origin}/`, baseDelayMs: 10, ...args });

  it("reports each attempt, also while they are made", async () => {
    upstream.answerWith(failingFirst(2));
    const { data, progress } = await ask({});

    const failed = {
      status: 503,
      error: `${upstream.origin} answered 503 Service Unavailable`,
      durationMs: expect.any(Number),
    };
    expect(data).toMatchObject({
      status: 200,
      attempts: [
        { ...failed, waitedMs: 0 },
        { ...failed, waitedMs: expect.any(Number) },
        { status: 200, waitedMs: expect.any(Number), durationMs: expect.any(Number) },
      ],
    });
    expect(progress.map(({ done, total }) => [done, total])).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
  });

  it("waits at least as long as the upstream asks for", async () => {
    upstream.answerWith(failingFirst(1, { "retry-after": "1" }));
    const { data } = await ask({});

    const [, second] = (data as { attempts: { waitedMs: number }[] }).attempts;
    expect(second?.waitedMs).toBeGreaterThanOrEqual(1000);
  });

  it("believes nobody who asks to be left alone for ever", async () => {
    upstream.answerWith(failingFirst(9, { "retry-after": "9".repeat(400) }));
    const { error } = await ask({});

    expect(error).toEqual({ kind: "upstream_error", retryAfterMs: 86_400_000 });
  });

  it("gives up when the upstream asks for more time than anybody waits, and passes that on", async () => {
    upstream.answerWith(failingFirst(9, { "retry-after": "60" }));
    const { error } = await ask({});

    expect(error).toEqual({ kind: "upstream_error", retryAfterMs: 60_000 });
    expect(upstream.asked).toHaveLength(1);
  });

  it("tells how each attempt went when all have failed", async () => {
    upstream.answerWith(failingFirst(9));
    const { text, error } = await ask({ maxAttempts: 2 });

    expect(error).toEqual({ kind: "upstream_error" });
    expect(text).toMatch(/Gave up after 2 attempts: \(1\) 503 in \d+ ms, after a pause of 0 ms; \(2\) 503 in/);
  });

  it("does not repeat what may do something each time, unless the API can tell by a key", async () => {
    const refused = await ask({ method: "POST", body: "x" });
    expect(refused.error).toEqual({ kind: "caller_error" });
    expect(refused.text).toContain("add the header 'idempotency-key' if the API knows it, or set maxAttempts to 1");
    expect(upstream.asked).toEqual([]);

    upstream.answerWith(failingFirst(1));
    const keyed = await ask({ method: "POST", body: "x", headers: { "Idempotency-Key": "1" } });
    expect(keyed.data).toMatchObject({ status: 200 });
  });

  it("keeps to the budget that all calls to the upstream share", async () => {
    upstream.answerWith(failingFirst(1000));
    const startedAt = performance.now();
    for (let turn = 0; turn < 20; turn += 1) {
      await ask({ maxAttempts: 2 });
      own.outbound.upstreams.of(upstream.origin).breaker.reset();
    }

    const repeated = upstream.asked.length - 20;
    const seconds = (performance.now() - startedAt) / 1000;
    expect(repeated).toBeGreaterThanOrEqual(10);
    // Ten that were saved up, a tenth of twenty calls, and one a second.
    expect(repeated).toBeLessThanOrEqual(10 + 2 + seconds);
  });
});
