import type { RequestListener } from "node:http";
import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { exportJWK } from "jose";
import type { RunningApp } from "../running-app.ts";
import { json } from "../weather-api.ts";
import { later, muchLater, stopClock } from "./clock.ts";
import { newKey, startIssuer, type Issuer } from "./issuer.ts";
import { bearer, send, startProtectedApp, type HttpAnswer } from "./protected-app.ts";

const MINUTE = 60_000;

let issuer: Issuer;
let app: RunningApp | undefined;

beforeEach(async () => {
  issuer = await startIssuer();
  stopClock();
});

afterEach(async () => {
  jest.useRealTimers();
  await app?.close();
  app = undefined;
  await issuer.close();
});

const start = async (environment: Readonly<Record<string, string>> = {}): Promise<RunningApp> =>
  (app = await startProtectedApp({ ...issuer.environment, ...environment }));

async function call(token?: string): Promise<HttpAnswer> {
  if (app === undefined) throw new Error("there is no app");
  return send(app, { headers: bearer(token ?? (await issuer.token())) });
}

const down: RequestListener = (request) => request.socket.destroy();

describe("the issuer's keys", () => {
  it("are asked for once, when the app starts, however many calls come", async () => {
    await start();
    const token = await issuer.token();
    const answers = await Promise.all(Array.from({ length: 20 }, () => call(token)));

    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(issuer.requests).toBe(1);
  });

  it("may be replaced at any time: a new one is found when a token is signed with it", async () => {
    await start();
    await call();
    issuer.rotate(await newKey("second"));
    later(MINUTE);

    expect((await call()).status).toBe(200);
    expect(issuer.requests).toBe(2);
  });

  it("stop counting some minutes after the issuer withdraws them, also for a token that has been in use", async () => {
    const withdrawn = await newKey("withdrawn");
    issuer.rotate(withdrawn);
    await start();
    const token = await issuer.token({ exp: Math.floor(Date.now() / 1000) + 86_400 });
    const before = (await call(token)).status;
    issuer.rotate(await newKey("second"));
    later(11 * MINUTE);
    let last;
    do {
      last = await call(token);
      later(2 * MINUTE);
    } while (last.status === 200);

    expect([before, last.status]).toEqual([200, 401]);
  });

  it("that do not exist get 401, and tokens that make them up do not make the app ask for each", async () => {
    await start();
    await call();
    const made = await Promise.all(Array.from({ length: 20 }, (_, index) => newKey(`made up ${index}`)));
    const answers = [];
    for (const key of made) answers.push(await call(await issuer.token({}, { key })));

    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 401));
    expect(answers[0]?.headers["www-authenticate"]).toContain("a key that its issuer does not publish");
    expect(issuer.requests).toBe(1);
  });

  it("do not become another's by their name", async () => {
    await start();
    const { status } = await call(await issuer.token({}, { key: await newKey("first") }));

    expect(status).toBe(401);
  });
});

describe("while the issuer cannot be reached", () => {
  it("known keys go on counting, for a day", async () => {
    await start();
    await call();
    issuer.answerWith(down);
    const statuses = [(await call()).status];
    muchLater(23 * 60 * MINUTE);
    const token = await issuer.token({ exp: Math.floor(Date.now() / 1000) + 3600 });
    statuses.push((await call(token)).status);
    muchLater(2 * 60 * MINUTE);
    statuses.push((await call(await issuer.token({ exp: Math.floor(Date.now() / 1000) + 3600 }))).status);

    expect(statuses).toEqual([200, 200, 503]);
  });

  it("a key that is not known gets 503 and the time to come back, since the token may be good", async () => {
    await start();
    await call();
    issuer.answerWith(down);
    later(MINUTE);
    const { status, headers, body } = await call(await issuer.token({}, { key: await newKey("new") }));

    expect([status, headers["retry-after"], headers["www-authenticate"]]).toEqual([503, "1", undefined]);
    expect(body).toMatchObject({ error: { code: -32000, data: { retryAfterMs: 1000 } } });
  });

  it("from the start, everybody gets 503, health says so, and calls get through as soon as it is back", async () => {
    issuer.answerWith(down);
    const { admin } = await start({ CB_RECOVERY_TIMEOUT: "50ms" });
    const statuses = [];
    for (let calls = 0; calls < 3; calls += 1) statuses.push((await call()).status);
    const health = await fetch(`${admin}/health`);
    const report: unknown = await health.json();
    issuer.answerWith();
    let last;
    do last = await call();
    while (last.status === 503);

    expect(statuses).toEqual([503, 503, 503]);
    expect([health.status, report]).toEqual([
      503,
      expect.objectContaining({
        dependencies: expect.objectContaining({ token_keys: { status: "critical", breaker: "open" } }),
      }),
    ]);
    expect(last.status).toBe(200);
  });

  it("calls are answered at once after the first few, and the issuer is left alone", async () => {
    issuer.answerWith(() => undefined);
    await start({ CB_TIMEOUT: "50ms" });
    const answers = [];
    for (let calls = 0; calls < 20; calls += 1) answers.push(await call());

    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 503));
    expect(Number(answers.at(-1)?.headers["retry-after"])).toBeGreaterThan(1);
    expect(issuer.requests).toBeLessThanOrEqual(3);
  });

  const page =
    (status: number, text: string, headers: Readonly<Record<string, string>> = {}): RequestListener =>
    (_, response) => {
      response.writeHead(status, headers).write(text);
      if (headers["content-length"] === undefined) response.end();
    };

  it.each<[string, RequestListener]>([
    ["an error", page(500, "{}")],
    ["a page", page(200, "<html>")],
    ["other JSON", page(200, JSON.stringify({ keys: "none" }))],
    ["too much", page(200, JSON.stringify({ keys: [{ kty: "EC", filler: "x".repeat(300_000) }] }))],
    ["too many keys", page(200, JSON.stringify({ keys: Array(101).fill({ kty: "EC" }) }))],
    ["a redirect", page(302, "", { location: "/" })],
    ["half an answer", page(200, "{", { "content-length": "99" })],
  ])("or answers with %s, nobody is taken for a stranger", async (_, answer) => {
    issuer.answerWith(answer);
    await start({ CB_TIMEOUT: "200ms" });

    expect((await call()).status).toBe(503);
  });

  it("or publishes a private key by mistake, that does not count", async () => {
    const leaked = await newKey("leaked");
    issuer.answerWith(
      (_, response) =>
        void exportJWK(leaked.privateKey).then((jwk) => {
          json(response, 200, { keys: [{ ...jwk, kid: leaked.kid, alg: leaked.alg }] });
        }),
    );
    await start();

    expect((await call(await issuer.token({}, { key: leaked }))).status).toBe(503);
  });
});
