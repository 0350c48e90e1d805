import { z } from "zod";
import { InvalidConfig } from "./invalid-config.ts";
import { duration, hasNoCredentials, list } from "./kinds.ts";

/** Asymmetric algorithms. With a shared secret (HS256), this server could also issue tokens. */
const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
] as const;

const SOME_ALGORITHMS = `must be some of ${ALGORITHMS.join(",")}`;

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** A URL that carries tokens or keys, and so needs TLS, except on this machine. */
const secureUrl = z
  .string()
  .refine((text) => {
    const url = URL.parse(text);
    return url?.protocol === "https:" || (url?.protocol === "http:" && LOOPBACK.has(url.hostname));
  }, "must be an https URL; http is for this machine alone")
  .refine(hasNoCredentials, "must have no user and no password");

/** A scope in OAuth's syntax; headers contain it between quotes. */
const scopes = list.refine(
  (names) => names.every((name) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(name)),
  "must be scopes separated by commas, without spaces, quotes and backslashes",
);

export const authVariables = {
  AUTH_MODE: z
    .enum(["jwt", "off"], { error: "must be 'jwt' or 'off'" })
    .prefault("jwt")
    .describe("Authentication of callers: `jwt` requires a valid token; `off` admits everybody who reaches the port."),
  AUTH_ISSUER: secureUrl.optional().describe("Authorization server whose tokens are accepted: their `iss`."),
  AUTH_AUDIENCE: secureUrl
    .refine((text) => !/[#"\\]/.test(text), "must have no fragment, no quote and no backslash")
    .optional()
    .describe(
      "URL of this server for its clients, `https://mcp.example.com/mcp`; the `aud` of tokens must contain it.",
    ),
  AUTH_JWKS_URL: secureUrl.optional().describe("URL of the issuer's keys: `jwks_uri` in the issuer's metadata."),
  AUTH_ALGORITHMS: list
    .pipe(z.array(z.enum(ALGORITHMS, { error: SOME_ALGORITHMS })).min(1, SOME_ALGORITHMS))
    .prefault("RS256,ES256,EdDSA,Ed25519")
    .describe("Signature algorithms of tokens; only asymmetric ones."),
  AUTH_CLOCK_TOLERANCE: duration("0s", "5m")
    .prefault("5s")
    .describe("Accepted difference between the issuer's clock and this pod's."),
  AUTH_REQUIRED_SCOPES: scopes
    .prefault("")
    .describe("Scopes that every token must grant; tools may need more. Challenges name them to clients."),
  AUTH_OFF_SCOPES: scopes
    .prefault("")
    .describe("Scopes of every caller with `AUTH_MODE=off`. Tools that need others refuse all calls."),
};

type Values = z.output<z.ZodObject<typeof authVariables>>;

/** @throws InvalidConfig when tokens are checked, which is the default, and a URL is missing */
export function authConfig(values: Values) {
  if (values.AUTH_MODE === "off") return { mode: "off", scopes: values.AUTH_OFF_SCOPES } as const;
  const { AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience, AUTH_JWKS_URL: jwksUrl } = values;
  if (issuer === undefined || audience === undefined || jwksUrl === undefined) {
    throw new InvalidConfig([
      "AUTH_ISSUER, AUTH_AUDIENCE and AUTH_JWKS_URL must be set, so that callers' tokens can be checked; or AUTH_MODE must be 'off', so that anybody may call",
    ]);
  }
  return {
    mode: "jwt",
    issuer,
    audience,
    jwksUrl,
    algorithms: values.AUTH_ALGORITHMS,
    clockTolerance: values.AUTH_CLOCK_TOLERANCE,
    requiredScopes: values.AUTH_REQUIRED_SCOPES,
  } as const;
}

export type AuthConfig = ReturnType<typeof authConfig>;

export type TokenConfig = Extract<AuthConfig, { mode: "jwt" }>;
