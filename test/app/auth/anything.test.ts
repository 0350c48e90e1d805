import { describe, expect, it, jest } from "@jest/globals";
import fc from "fast-check";
import { createLocalJWKSet, SignJWT, type JWTPayload } from "jose";
import { InvalidToken, Tokens } from "../../../app/src/auth/tokens.ts";
import { startIssuer, newKey, AUDIENCE } from "./issuer.ts";
import { send, startProtectedApp } from "./protected-app.ts";

// A thousand signatures take their time on a busy machine.
jest.setTimeout(30_000);

const ISSUER = "https://login.example.com";

const key = await newKey("only");

const tokens = new Tokens(
  { issuer: ISSUER, audience: AUDIENCE, algorithms: ["ES256"], clockTolerance: 0 },
  createLocalJWKSet({ keys: [key.publicJwk] }),
);

const outcomeOf = (token: string) =>
  tokens.check(token).then(
    ({ expiresAt }) => expiresAt,
    (error: unknown) => error,
  );

const part = fc.oneof(
  fc.base64String({ maxLength: 60 }),
  fc.json({ maxDepth: 3 }).map((text) => Buffer.from(text).toString("base64url")),
  fc
    .record(
      {
        alg: fc.constantFrom("ES256", "HS256", "none", "", "__proto__", 7),
        kid: fc.constantFrom("only", "constructor", 7, null),
        crit: fc.constantFrom(["exp"], [], "exp"),
        typ: fc.constantFrom("at+jwt", 7),
        jwk: fc.constant(key.publicJwk),
      },
      { requiredKeys: [] },
    )
    .map((header) => Buffer.from(JSON.stringify(header)).toString("base64url")),
);

describe("anything that is sent as a token", () => {
  it("is refused as an invalid token, however much it looks like one", async () => {
    const looksLikeOne = fc.tuple(part, part, part).map((parts) => parts.join("."));
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string({ unit: "binary" }), looksLikeOne), async (token) => {
        expect(await outcomeOf(token)).toBeInstanceOf(InvalidToken);
      }),
      { numRuns: 1000 },
    );
  });

  it("counts or is refused as an invalid token when the issuer has signed it, whatever claims it holds", async () => {
    const now = Math.floor(Date.now() / 1000);
    const right = { iss: ISSUER, aud: AUDIENCE, sub: "alice", exp: now + 600 };
    const claim = fc.constantFrom("iss", "aud", "sub", "exp", "nbf", "client_id", "scope", "scp", "__proto__");
    await fc.assert(
      fc.asyncProperty(fc.dictionary(claim, fc.jsonValue(), { maxKeys: 3 }), async (claims) => {
        const payload = JSON.parse(JSON.stringify({ ...right, ...claims })) as JWTPayload;
        const token = await new SignJWT(payload)
          .setProtectedHeader({ alg: key.alg, kid: key.kid })
          .sign(key.privateKey)
          // What the library would not sign is not a token.
          .catch(() => "");
        const outcome = await outcomeOf(token);

        if (typeof outcome === "number") expect(outcome).toBeGreaterThan(now);
        else expect(outcome).toBeInstanceOf(InvalidToken);
      }),
      { numRuns: 500 },
    );
  });

  it("never gets in over HTTP, and never gets more of an answer than 400, 401 or 431", async () => {
    const issuer = await startIssuer();
    const app = await startProtectedApp(issuer.environment);
    const printable = fc.string({ unit: fc.constantFrom(...Array.from("abcXYZ019-._~+/= ,;\"'\\é\t")), maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom("", "Bearer ", "bearer", "Basic "), printable, async (scheme, rest) => {
        const { status } = await send(app, { headers: { authorization: scheme + rest } });

        expect([400, 401, 431]).toContain(status);
      }),
      { numRuns: 300 },
    );
    await app.close();
    await issuer.close();
  });
});
