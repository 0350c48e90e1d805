import { z } from "zod";
import { InvalidConfig } from "./invalid-config.ts";
import { duration, hasNoCredentials, list } from "./kinds.ts";

/** Signatures that only their issuer can make. With a shared secret (HS256), whoever checks a token could also write one. */
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

/** Tokens and the keys that prove them travel here: in clear only where nobody else can listen. */
const secureUrl = z
  .string()
  .refine((text) => {
    const url = URL.parse(text);
    return url?.protocol === "https:" || (url?.protocol === "http:" && LOOPBACK.has(url.hostname));
  }, "must be an https URL; http is for this machine alone")
  .refine(hasNoCredentials, "must have no user and no password");

/** A scope as OAuth writes it; it stands in a header between quotes. */
const scopes = list.refine(
  (names) => names.every((name) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(name)),
  "must be scopes separated by commas, without spaces, quotes and backslashes",
);

/** Who may call. */
export const authVariables = {
  AUTH_MODE: z
    .enum(["jwt", "off"], { error: "must be 'jwt' or 'off'" })
    .prefault("jwt")
    .describe("Who may call: `jwt`, whoever has a valid token; `off`, anybody who reaches the port."),
  AUTH_ISSUER: secureUrl.optional().describe("The authorization server whose tokens count; their `iss`."),
  AUTH_AUDIENCE: secureUrl
    .refine((text) => !/[#"\\]/.test(text), "must have no fragment, no quote and no backslash")
    .optional()
    .describe(
      "This server as its clients know it, `https://mcp.example.com/mcp`; tokens must have it among their `aud`.",
    ),
  AUTH_JWKS_URL: secureUrl
    .optional()
    .describe("Where the issuer publishes its keys; `jwks_uri` in the issuer's own metadata."),
  AUTH_ALGORITHMS: list
    .pipe(z.array(z.enum(ALGORITHMS, { error: SOME_ALGORITHMS })).min(1, SOME_ALGORITHMS))
    .prefault("RS256,ES256,EdDSA,Ed25519")
    .describe("Algorithms that tokens may be signed with, asymmetric ones alone."),
  AUTH_CLOCK_TOLERANCE: duration("0s", "5m")
    .prefault("5s")
    .describe("How far the issuer's clock may be off when a token's times are checked."),
  AUTH_REQUIRED_SCOPES: scopes
    .prefault("")
    .describe("Scopes that every token must grant; tools may need more. Clients are told to ask for these."),
  AUTH_OFF_SCOPES: scopes
    .prefault("")
    .describe("Scopes that every caller has with `AUTH_MODE=off`. Tools that need others refuse all calls."),
};

type Values = z.output<z.ZodObject<typeof authVariables>>;

/** How tokens are checked. */
export interface TokenConfig {
  readonly mode: "jwt";
  readonly issuer: string;
  /** The resource identifier of RFC 8707 and RFC 9728. */
  readonly audience: string;
  readonly jwksUrl: string;
  readonly algorithms: readonly string[];
  /** Milliseconds. */
  readonly clockTolerance: number;
  readonly requiredScopes: readonly string[];
}

/** Anybody may call. */
export interface NoAuthConfig {
  readonly mode: "off";
  /** What anybody may do that needs a scope. */
  readonly scopes: readonly string[];
}

export type AuthConfig = TokenConfig | NoAuthConfig;

/** @throws InvalidConfig when tokens are to be checked, as they are by default, and nothing says how */
export function authConfig(values: Values): AuthConfig {
  if (values.AUTH_MODE === "off") return { mode: "off", scopes: values.AUTH_OFF_SCOPES };
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
  };
}
