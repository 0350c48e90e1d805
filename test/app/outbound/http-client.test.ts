import { randomBytes } from "node:crypto";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { HttpRequest } from "../../../app/src/outbound/request.ts";
import type { SendOptions } from "../../../app/src/outbound/http-client.ts";
import { UpstreamFailure } from "../../../app/src/outbound/upstream-failure.ts";
import { CallerCall, PLAIN_CALL, type Call } from "../../../app/src/resilience/call.ts";
import { DeadlineExceeded } from "../../../app/src/resilience/deadline.ts";
import { Rejected } from "../../../app/src/resilience/rejection.ts";
import { ToolInputError } from "../../../app/src/errors/tool-input-error.ts";
import { newOutbound, type NewOutbound } from "./new-outbound.ts";
import { startUpstream, type TestUpstream } from "./upstream.ts";

let upstream: TestUpstream;
let own: NewOutbound;

beforeEach(async () => {
  upstream = await startUpstream();
  own = newOutbound({
    OUTBOUND_ALLOW: upstream.origin,
    OUTBOUND_ALLOW_PRIVATE: "127.0.0.1",
    CB_FAILURE_THRESHOLD: "3",
  });
});

afterEach(async () => {
  own.outbound.close();
  await upstream.close();
});

const send = async (request: Partial<HttpRequest> = {}, options: SendOptions = {}, call: Call = PLAIN_CALL) => {
  const { outbound } = own;
  return outbound.send(outbound.check({ url: `${upstream.origin}/`, ...request }), call, options);
};

const breaker = () => {
  const found = own.breakers.get(`upstream:${upstream.origin}`);
  if (found === undefined) throw new Error("no breaker");
  return found;
};

const failing = (status: number, headers: Record<string, string> = {}) => {
  upstream.answerWith((_request, response) => {
    response.writeHead(status, headers).end();
  });
};

describe("an outbound call", () => {
  it("sends method, allowed headers and body, and brings back status, headers and body", async () => {
    const { status, body, headers, truncated } = await send({
      url: `${upstream.origin}/items?q=1#part`,
      method: "POST",
      headers: { "Content-Type": "text/plain", Authorization: "Bearer x" },
      body: "héllo",
    });

    expect(status).toBe(200);
    expect(JSON.parse(body.toString())).toEqual({ path: "/items?q=1", body: "héllo" });
    expect(headers["content-type"]).toBe("application/json");
    expect(truncated).toBe(false);
    expect(upstream.asked[0]).toMatchObject({
      method: "POST",
      headers: {
        host: new URL(upstream.origin).host,
        authorization: "Bearer x",
        "content-type": "text/plain",
        "content-length": "6",
        "user-agent": "mcp-bluegreen",
      },
    });
  });

  it("says where every body ends, also where there is none", async () => {
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] as const) await send({ method });
    await send({ method: "DELETE", body: "x" });

    expect(upstream.asked.map(({ headers }) => headers["content-length"])).toEqual(["0", "0", "0", "0", "0", "1"]);
    expect(upstream.asked.every(({ headers }) => headers["transfer-encoding"] === undefined)).toBe(true);
  });

  it("uses one connection for calls one after another", async () => {
    for (let turn = 0; turn < 4; turn += 1) await send();

    expect(upstream.connections).toBe(1);
  });

  it.each(["host", "Content-Length", "transfer-encoding", "connection", "cookie", "x-forwarded-for", "__proto__"])(
    "sends no header '%s' for a caller",
    async (name) => {
      const headers = JSON.parse(`{${JSON.stringify(name)}:"1"}`);
      await expect(send({ headers })).rejects.toThrow(/may not be set; these may: accept, /);
      expect(upstream.asked).toEqual([]);
    },
  );

  it("refuses a header value that would start another header, and a body where there can be none", async () => {
    await expect(send({ headers: { accept: "a\r\nhost: b" } })).rejects.toThrow(ToolInputError);
    await expect(send({ body: "x" })).rejects.toThrow("a GET request has no body");
  });

  const encodedAs = (contentEncoding: string, body: Buffer | string, status = 200) => {
    upstream.answerWith((_request, response) => {
      response.writeHead(status, { "content-encoding": contentEncoding }).end(body);
    });
  };

  it.each<[string, Buffer | string]>([
    ["gzip", gzipSync("hello")],
    ["X-GZIP", gzipSync("hello")],
    ["br", brotliCompressSync("hello")],
    ["deflate", deflateSync("hello")],
    ["deflate", deflateRawSync("hello")],
    ["", "hello"],
    [", ,", "hello"],
    ["identity", "hello"],
    ["Identity, gzip,", gzipSync("hello")],
    ["gzip, br", brotliCompressSync(gzipSync("hello"))],
    ["deflate, identity, deflate", deflateSync(deflateRawSync("hello"))],
  ])("decodes a body in the coding '%s'", async (contentEncoding, body) => {
    encodedAs(contentEncoding, body);

    expect(await send()).toMatchObject({ body: Buffer.from("hello"), truncated: false });
  });

  it.each(["gzip", "br", "deflate", "gzip, br", "zstd"])(
    "takes an empty body for an empty body, also in the coding '%s'",
    async (contentEncoding) => {
      for (const status of [200, 201, 204, 205, 304, 404]) {
        encodedAs(contentEncoding, "", status);
        const { body, truncated, unreadable } = await send({ method: "POST", body: "x" });

        expect([body.byteLength, truncated, unreadable]).toEqual([0, false, undefined]);
      }
      expect((await send({ method: "HEAD" })).status).toBe(404);
    },
  );

  it.each([
    ["gzip", "not gzip", "it is not in the coding 'gzip' that it names"],
    ["br", "not br", "it is not in the coding 'br' that it names"],
    ["gzip, br", brotliCompressSync("not gzip"), "it is not in the coding 'gzip' that it names"],
    ["utf-8", "text", "its coding was not requested: 'utf-8'"],
    ["__proto__", "text", "its coding was not requested: '__proto__'"],
    ["gzip, ".repeat(5), gzipSync("text"), "it has more than 4 codings"],
  ])(
    "is an answer without a body where its coding '%s' cannot be decoded",
    async (contentEncoding, body, unreadable) => {
      encodedAs(contentEncoding, body, 201);
      for (let turn = 0; turn < 5; turn += 1)
        expect(await send({ method: "POST", body: "x" })).toMatchObject({
          status: 201,
          unreadable,
          body: Buffer.alloc(0),
        });

      expect(breaker().stats).toMatchObject({ successes: 5, failures: 0 });
    },
  );

  it.each([
    ["gzip", gzipSync],
    ["br", brotliCompressSync],
    ["deflate", deflateRawSync],
  ])("has the beginning of a body whose %s data end too early", async (coding, encode) => {
    const whole = encode(randomBytes(10_000).toString("hex"));
    encodedAs(coding, whole.subarray(0, whole.byteLength / 2));
    const { body, truncated } = await send();

    expect(truncated).toBe(true);
    expect(body.toString()).toMatch(/^[0-9a-f]{1000,}$/);
  });

  it("cuts off a body that is too large, also one that is small until it is unpacked", async () => {
    const large = Buffer.alloc(10_000_000, "x");
    upstream.answerWith((request, response) => {
      const packed = request.url === "/packed";
      response.writeHead(200, packed ? { "content-encoding": "gzip" } : {}).end(packed ? gzipSync(large) : large);
    });

    for (const path of ["/", "/packed"]) {
      const { body, truncated } = await send({ url: upstream.origin + path });
      expect([body.byteLength, truncated]).toEqual([256 * 1024, true]);
    }
  });

  it("cuts off a body that decodes to nothing, however long it goes on", async () => {
    // Empty stored blocks of deflate: five bytes each that say nothing.
    const nothing = Buffer.alloc(64 * 1024 * 5, Buffer.from([0, 0, 0, 0xff, 0xff]));
    upstream.answerWith((_request, response) => {
      response.writeHead(200, { "content-encoding": "gzip" });
      response.write(gzipSync("").subarray(0, 10));
      const go = () => {
        while (!response.destroyed && response.write(nothing));
      };
      response.on("drain", go);
      go();
    });

    expect(await send()).toMatchObject({ body: Buffer.alloc(0), truncated: true });
  });

  it("says no more of a broken answer than that it is broken", async () => {
    upstream.answerWith((_request, response) => {
      response.socket?.end("no HTTP at all\r\n\r\n");
    });
    await expect(send()).rejects.toThrow(`${upstream.origin} does not answer in HTTP`);

    upstream.answerWith((_request, response) => {
      response.socket?.destroy();
    });
    await expect(send()).rejects.toThrow(`${upstream.origin} broke off the connection (ECONNRESET)`);
  });

  it("does not wait for a server that switches protocols", async () => {
    upstream.answerWith((_request, response) => {
      response.socket?.write("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n");
    });

    await expect(send()).rejects.toThrow(UpstreamFailure);
  });

  it("is answered with 4xx as it is, and fails with 5xx and 429, of which it says what the upstream said", async () => {
    failing(404);
    expect((await send()).status).toBe(404);

    upstream.answerWith((_request, response) => {
      response.writeHead(503, { "retry-after": "7", "content-type": "text/plain" }).end("down for\nmaintenance");
    });
    const error = await send().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      name: "UpstreamFailure",
      message: `${upstream.origin} answered 503 Service Unavailable: down for maintenance`,
      status: 503,
      retryAfterMs: 7000,
    });
  });
});

describe("redirects", () => {
  const redirectTo = (status: number, location: string) => {
    upstream.answerWith((request, response, body) => {
      if (request.url === "/here") response.end(JSON.stringify({ method: request.method, body }));
      else response.writeHead(status, { location }).end();
    });
  };

  it.each([
    ["POST", 302, "GET", ""],
    ["POST", 303, "GET", ""],
    ["PUT", 303, "GET", ""],
    ["POST", 307, "POST", "x"],
    ["PUT", 308, "PUT", "x"],
  ] as const)("of %s with %d are followed with %s", async (method, status, then, body) => {
    redirectTo(status, "/here");
    const answer = await send({ method, body: "x" });

    expect(answer.url.pathname).toBe("/here");
    expect(JSON.parse(answer.body.toString())).toEqual({ method: then, body });
  });

  it("stop after five", async () => {
    redirectTo(302, "/again");

    await expect(send()).rejects.toThrow(`${upstream.origin} redirects more than 5 times`);
    expect(upstream.asked).toHaveLength(6);
  });

  it.each([
    "http://169.254.169.254/latest",
    "https://127.0.0.1/",
    "http://localhost/",
    "file:///etc/passwd",
    "http://u:p@x/",
  ])("to what may not be called (%s) are refused", async (location) => {
    redirectTo(302, location);

    await expect(send()).rejects.toThrow(ToolInputError);
    expect(upstream.asked).toHaveLength(1);
  });

  it("to another origin carry neither secrets nor a body", async () => {
    const other = await startUpstream();
    own = newOutbound({
      OUTBOUND_ALLOW: `${upstream.origin},${other.origin}`,
      OUTBOUND_ALLOW_PRIVATE: "127.0.0.1",
    });
    upstream.answerWith((request, response) => {
      response.writeHead(request.url === "/307" ? 307 : 302, { location: `${other.origin}/there` }).end();
    });
    const headers = { authorization: "Bearer x", "x-api-key": "k", accept: "text/plain" };
    await send({ headers });
    expect(other.asked[0]?.headers).toMatchObject({ accept: "text/plain" });
    expect(other.asked[0]?.headers).not.toHaveProperty("authorization");
    expect(other.asked[0]?.headers).not.toHaveProperty("x-api-key");

    const answer = await send({ url: `${upstream.origin}/307`, method: "POST", body: "secret", headers });
    expect(answer.status).toBe(307);
    expect(other.asked).toHaveLength(1);
    await other.close();
  });
});

describe("an upstream's policies", () => {
  it("open the breaker after failures, then fail at once without asking, for all who call it", async () => {
    failing(500);
    for (let turn = 0; turn < 3; turn += 1) await expect(send()).rejects.toThrow(UpstreamFailure);
    await expect(send()).rejects.toThrow(Rejected);

    expect(upstream.asked).toHaveLength(3);
    expect(own.health.report().dependencies).toEqual({
      [`upstream:${upstream.origin}`]: { status: "degraded", breaker: "open" },
    });
  });

  it("count a caller who goes away, and one who is impatient, as nothing", async () => {
    upstream.answerWith(() => undefined);
    for (let turn = 0; turn < 4; turn += 1) {
      const abort = new AbortController();
      const gone = send({}, {}, new CallerCall({ signal: abort.signal }));
      setImmediate(() => {
        abort.abort();
      });
      await expect(gone).rejects.toThrow("This operation was aborted");
      await expect(send({}, { within: 20 })).rejects.toThrow(DeadlineExceeded);
    }

    expect(breaker().stats).toMatchObject({ state: "closed", failures: 0 });
  });

  it("tell who loses patience between two attempts why there was to be another", async () => {
    failing(500);
    const impatient = send({}, { attempts: 2, baseDelay: 5000, within: 600 });
    await expect(impatient).rejects.toThrow("answered 500");

    upstream.answerWith((_request, response) => {
      if (upstream.asked.length < 3) response.writeHead(500).end();
    });
    await expect(send({}, { attempts: 2, baseDelay: 1, within: 600 })).rejects.toThrow(DeadlineExceeded);
    expect(upstream.asked).toHaveLength(3);
  });

  it("count an answer that does not come in time as a failure", async () => {
    own = newOutbound({
      OUTBOUND_ALLOW: upstream.origin,
      OUTBOUND_ALLOW_PRIVATE: "127.0.0.1",
      CB_TIMEOUT: "50ms",
    });
    upstream.answerWith((_request, response) => {
      response.writeHead(200);
      response.write("slowly");
    });

    await expect(send()).rejects.toThrow(DeadlineExceeded);
    expect(breaker().stats).toMatchObject({ failures: 1, timeouts: 1 });
  });

  it("send again what may be repeated, and nothing else", async () => {
    failing(503);
    const attempts = async (request: Partial<HttpRequest>) => {
      const made: unknown[] = [];
      await send(request, { attempts: 2, baseDelay: 1, onAttempt: (attempt) => made.push(attempt.status) }).catch(
        () => undefined,
      );
      breaker().reset();
      return made;
    };

    expect(await attempts({ method: "GET" })).toEqual([503, 503]);
    expect(await attempts({ method: "DELETE" })).toEqual([503, 503]);
    expect(await attempts({ method: "POST" })).toEqual([503]);
    expect(await attempts({ method: "POST", headers: { "idempotency-key": "1" } })).toEqual([503, 503]);
    failing(501);
    expect(await attempts({ method: "GET" })).toEqual([501]);
  });

  it("keep a slow upstream from taking more than its places, and leave others theirs", async () => {
    const other = await startUpstream();
    own = newOutbound({
      OUTBOUND_ALLOW: `${upstream.origin},${other.origin}`,
      OUTBOUND_ALLOW_PRIVATE: "127.0.0.1",
      OUTBOUND_MAX_CONCURRENT: "1",
    });
    upstream.answerWith(() => undefined);
    const abort = new AbortController();
    const hanging = [0, 1, 2].map(() => send({}, {}, new CallerCall({ signal: abort.signal })).catch(() => undefined));

    await expect(send()).rejects.toThrow("as many calls as are allowed are under way");
    expect((await send({ url: other.origin })).status).toBe(200);
    abort.abort();
    await Promise.all(hanging);
    await other.close();
  });
});
