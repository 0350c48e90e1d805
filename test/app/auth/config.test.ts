import { describe, expect, it } from "@jest/globals";
import { readConfig } from "../../../app/src/config.ts";
import { runToExit } from "../app-process.ts";

const TOKENS = {
  AUTH_ISSUER: "https://login.example.com",
  AUTH_AUDIENCE: "https://mcp.example.com/mcp",
  AUTH_JWKS_URL: "https://login.example.com/jwks",
};

describe("who may call", () => {
  it.each([
    ["nothing is said", { AUTH_MODE: "" }],
    ["tokens are asked for, and nothing says which count", { AUTH_MODE: "jwt" }],
    ["the audience is missing", { ...TOKENS, AUTH_MODE: "", AUTH_AUDIENCE: "" }],
  ])("has to be said: when %s, the app names both ways and exits with 2", async (_, environment) => {
    const { code, stderr } = await runToExit(environment);

    expect(code).toBe(2);
    expect(stderr.trim().split("\n")).toEqual([
      "the configuration is not valid:",
      "  AUTH_ISSUER, AUTH_AUDIENCE and AUTH_JWKS_URL must be set, so that callers' tokens can be checked; or AUTH_MODE must be 'off', so that anybody may call",
    ]);
  });

  it("is whoever has a token, once it is said which tokens count", () => {
    expect(readConfig(TOKENS).auth).toEqual({
      mode: "jwt",
      issuer: "https://login.example.com",
      audience: "https://mcp.example.com/mcp",
      jwksUrl: "https://login.example.com/jwks",
      algorithms: ["RS256", "ES256", "EdDSA", "Ed25519"],
      clockTolerance: 5000,
      requiredScopes: [],
    });
  });

  it("is anybody only when that is said, even where tokens are described", () => {
    expect(readConfig({ ...TOKENS, AUTH_MODE: "off" }).auth).toEqual({ mode: "off", scopes: [] });
  });

  it.each([
    ["keys that travel in clear", "AUTH_JWKS_URL", "http://login.example.com/jwks", "must be an https URL"],
    ["keys in a file", "AUTH_JWKS_URL", "file:///etc/keys", "must be an https URL"],
    ["an issuer in clear", "AUTH_ISSUER", "http://login.example.com", "must be an https URL"],
    ["an audience that is no address", "AUTH_AUDIENCE", "mcp", "must be an https URL"],
    ["an audience with a fragment", "AUTH_AUDIENCE", "https://mcp.example.com/#a", "must have no fragment"],
    ["a shared secret", "AUTH_ALGORITHMS", "RS256,HS256", "must be some of RS256,"],
    ["no signature", "AUTH_ALGORITHMS", "none", "must be some of RS256,"],
    ["no algorithm", "AUTH_ALGORITHMS", ",", "must be some of RS256,"],
    ["a tolerance that lets old tokens live", "AUTH_CLOCK_TOLERANCE", "1h", "must be between 0s and 5m"],
    ["a scope that breaks out of its quotes", "AUTH_REQUIRED_SCOPES", 'a"b', "must be scopes separated by commas"],
    ["scopes separated by spaces", "AUTH_OFF_SCOPES", "a b", "must be scopes separated by commas"],
    ["another mode", "AUTH_MODE", "none", "must be 'jwt' or 'off'"],
  ])("is not decided by %s", (_, name, value, problem) => {
    expect(() => readConfig({ ...TOKENS, [name]: value })).toThrow(new RegExp(`${name} ${problem}.*, not '`));
  });

  it.each(["http://127.0.0.1:9000/jwks", "http://localhost:9000/jwks", "http://[::1]:9000/jwks"])(
    "may be decided by an issuer on this machine: %s",
    (url) => {
      expect(readConfig({ ...TOKENS, AUTH_JWKS_URL: url }).auth).toMatchObject({ jwksUrl: url });
    },
  );
});
