import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { exportSPKI, UnsecuredJWT } from "jose";
import type { RunningApp } from "../running-app.ts";
import { later, stopClock } from "./clock.ts";
import { AUDIENCE, newKey, startIssuer, type Issuer, type SigningKey } from "./issuer.ts";
import { bearer, connectWith, send, startProtectedApp } from "./protected-app.ts";

const METADATA = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp";

let rsa: SigningKey;
let issuer: Issuer;
let app: RunningApp;

beforeAll(async () => {
  rsa = await newKey("rsa", "RS256");
  issuer = await startIssuer(rsa, await newKey("elliptic"));
  app = await startProtectedApp(issuer.environment);
});

afterAll(async () => {
  await app.close();
  await issuer.close();
});

const now = () => Math.floor(Date.now() / 1000);

const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("a valid token", () => {
  it.each(["2025", "2026"] as const)("lets an official client of the %s era call, as its subject", async (era) => {
    const client = await connectWith(app, era, () => issuer.token());
    const { structuredContent } = await client.callTool({ name: "who_am_i", arguments: {} });
    await client.close();

    expect(structuredContent).toEqual({ client: "subject:alice" });
  });

  it.each([
    ["says its type in full", {}, "application/at+jwt"],
    ["is of an issuer that says no more than JWT", {}, "JWT"],
    ["is of an issuer that says no type", {}, ""],
    ["is for several servers", { aud: ["https://other.example.com", AUDIENCE] }, "at+jwt"],
  ])("counts when it %s", async (_, claims, typ) => {
    const { status } = await send(app, { headers: bearer(await issuer.token(claims, { typ })) });

    expect(status).toBe(200);
  });

  it("counts when it expired within the clock tolerance", async () => {
    const { status } = await send(app, { headers: bearer(await issuer.token({ exp: now() - 1 })) });

    expect(status).toBe(200);
  });

  it.each([
    ["its client, when there is no subject", { sub: undefined }, "client:tests"],
    ["its authorized party, when there is no client", { sub: undefined, client_id: undefined, azp: "p" }, "client:p"],
    ["its subject, even one that looks like a client", { sub: "client:tests" }, "subject:client:tests"],
    ["its subject, even one that looks like an address", { sub: "127.0.0.1" }, "subject:127.0.0.1"],
  ])("speaks for %s", async (_, claims, client) => {
    const answer = await send(app, { headers: bearer(await issuer.token(claims)) });

    expect(answer.body).toMatchObject({ result: { structuredContent: { client } } });
  });
});

describe("a request without a valid token", () => {
  it("gets 401 and is told where to get one, without an error code when it brings none", async () => {
    const { status, headers, body } = await send(app);

    expect(status).toBe(401);
    expect(headers["www-authenticate"]).toBe(`Bearer resource_metadata="${METADATA}"`);
    expect(body).toMatchObject({ jsonrpc: "2.0", id: null, error: { code: -32000 } });
  });

  it.each([
    ["another scheme", "Basic YWxpY2U6c2VjcmV0", undefined],
    ["no token", "Bearer", "The Authorization header holds no bearer token"],
    ["two tokens in one header", "Bearer a.b.c d.e.f", "The Authorization header holds no bearer token"],
    ["a text that is no JWT", "Bearer abc", "The token is no signed JWT"],
  ])("gets 401 for %s", async (_, authorization, description) => {
    const { status, headers } = await send(app, { headers: { authorization } });

    expect(status).toBe(401);
    expect(headers["www-authenticate"]).toBe(
      `Bearer ${description === undefined ? "" : `error="invalid_token", error_description="${description}", `}resource_metadata="${METADATA}"`,
    );
  });

  it.each([
    ["has expired", { exp: now() - 60 }, "The token has expired"],
    ["never expires", { exp: undefined }, "The token has no expiry"],
    ["is not valid yet", { nbf: now() + 60 }, "The token is not valid yet"],
    ["is for another server", { aud: "https://other.example.com/mcp" }, "The token is for another server"],
    ["is for a longer address", { aud: `${AUDIENCE}/` }, "The token is for another server"],
    ["is for nobody", { aud: undefined }, "The token is for another server"],
    ["is from another issuer", { iss: "https://evil.example" }, "The token is from another issuer"],
    ["is from nobody", { iss: undefined }, "The token is from another issuer"],
    ["names nobody", { sub: undefined, client_id: undefined }, "The token names neither subject nor client"],
    ["has a subject that is no text", { sub: 7 as unknown as string }, "The token has a claim of the wrong kind"],
  ])("gets 401 and the reason when its token %s", async (_, claims, reason) => {
    const { status, headers, body } = await send(app, { headers: bearer(await issuer.token(claims)) });

    expect(status).toBe(401);
    expect(headers["www-authenticate"]).toContain(`error="invalid_token", error_description="${reason}"`);
    expect(body).toMatchObject({ error: { message: reason } });
  });

  it.each(["logout+jwt", "dpop+jwt", "secevent+jwt"])("gets 401 for a JWT that is a %s", async (typ) => {
    const { status, headers } = await send(app, { headers: bearer(await issuer.token({}, { typ })) });

    expect([status, headers["www-authenticate"]]).toEqual([401, expect.stringContaining("no access token")]);
  });

  it("gets 401 for a token that nobody signed", async () => {
    const claims = { sub: "alice", client_id: "tests", aud: AUDIENCE, iss: issuer.url, exp: now() + 60 };
    const tokens = [
      new UnsecuredJWT(claims).encode(),
      `${base64({ alg: "none", typ: "at+jwt" })}.${base64(claims)}.`,
      `${base64({ alg: "None", typ: "at+jwt" })}.${base64(claims)}.AA`,
    ];
    const answers = await Promise.all(tokens.map((token) => send(app, { headers: bearer(token) })));

    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
  });

  it("gets 401 for a token that is signed with the public key as if it were a shared secret", async () => {
    const head = base64({ alg: "HS256", typ: "at+jwt", kid: rsa.kid });
    const claims = base64({ sub: "alice", aud: AUDIENCE, iss: issuer.url, exp: now() + 60 });
    const secrets = [await exportSPKI(rsa.publicKey), JSON.stringify(rsa.publicJwk), rsa.publicJwk.n ?? ""];
    for (const secret of secrets) {
      const mac = createHmac("sha256", secret).update(`${head}.${claims}`).digest("base64url");
      const { status, headers } = await send(app, { headers: bearer(`${head}.${claims}.${mac}`) });

      expect(status).toBe(401);
      expect(headers["www-authenticate"]).toContain("an algorithm that is not accepted");
    }
    expect((await send(app, { headers: bearer(await issuer.token({}, { key: rsa })) })).status).toBe(200);
  });

  it("gets 401 for a token whose claims were changed after it was signed", async () => {
    const [head, , signature] = (await issuer.token()).split(".");
    const claims = base64({ sub: "root", client_id: "x", aud: AUDIENCE, iss: issuer.url, exp: now() + 60 });
    const { status } = await send(app, { headers: bearer(`${head}.${claims}.${signature}`) });

    expect(status).toBe(401);
  });

  it("gets 401 for a token that is far too long, and 431 for one that no header may hold", async () => {
    const long = await send(app, { headers: bearer(`${"a".repeat(9000)}.b.c`) });
    const tooLong = await send(app, { headers: bearer("a".repeat(20_000)) });

    expect([long.status, long.headers["www-authenticate"]]).toEqual([401, expect.stringContaining("8192 characters")]);
    expect(tooLong.status).toBe(431);
  });

  it("gets 400 when it brings two tokens, or one in its address, even a valid one", async () => {
    const token = await issuer.token();
    const answers = [
      await send(app, { headers: { authorization: [`Bearer ${token}`, `Bearer ${token}`] } }),
      await send(app, { path: `/mcp?access_token=${token}` }),
      await send(app, { path: `/mcp?access_token=${token}`, headers: bearer(token) }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400]);
    for (const { headers } of answers) expect(headers["www-authenticate"]).toContain('error="invalid_request"');
  });

  it.each(["GET", "DELETE", "PUT", "OPTIONS"])("gets 401 for %s too", async (method) => {
    expect((await send(app, { method })).status).toBe(401);
  });

  it("gets 401 for a token that was good until now", async () => {
    const headers = bearer(await issuer.token({ exp: now() + 60 }));
    const before = await send(app, { headers });
    stopClock();
    later(66_000);
    const after = await send(app, { headers });
    jest.useRealTimers();

    expect([before.status, after.status]).toEqual([200, 401]);
    expect(after.headers["www-authenticate"]).toContain("The token has expired");
  });

  it("gets to read why, even while it sends a large body, and may use its connection again", async () => {
    const { status, headers } = await send(app, { body: `"${"x".repeat(900_000)}"` });

    expect(status).toBe(401);
    expect(headers.connection).not.toBe("close");
  });

  it("leaves the admin port to those who probe it", async () => {
    const answers = await Promise.all(["/livez", "/readyz", "/health"].map((path) => fetch(app.admin + path)));

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  });
});
