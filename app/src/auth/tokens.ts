import { hash } from "node:crypto";
import type { AuthInfo } from "@modelcontextprotocol/server";
import { errors, jwtVerify, type JWTVerifyGetKey } from "jose";
import { LRUCache } from "lru-cache";
import { z } from "zod";
import type { TokenConfig } from "../config/auth.ts";

/** Real tokens are 1 to 3 kB; all headers of a request together may be 16 kB. */
const MAX_LENGTH = 8192;

/** Milliseconds that a token which has been found good is taken at its word. Clients send the same one with every request. */
const REMEMBERED = 60_000;

/** Tokens remembered; some 500 bytes each. */
const MAX_REMEMBERED = 2000;

/** What a header may say an access token is (RFC 9068). Issuers that are older than that say `JWT`, or nothing. */
const TYPES: readonly (string | undefined)[] = [undefined, "jwt", "at+jwt", "application/at+jwt"];

const scopes = z.union([z.string().transform((text) => text.split(" ").filter(Boolean)), z.array(z.string())]);

const claims = z.object({
  exp: z.number(),
  sub: z.string().min(1).optional(),
  client_id: z.string().min(1).optional(),
  /** What OpenID Connect calls the client. */
  azp: z.string().min(1).optional(),
  scope: scopes.optional(),
  /** What some issuers call `scope`. */
  scp: scopes.optional(),
});

/** A token that does not let its bearer in. The message says why, in words that may stand in a header, and nothing of the token. */
export class InvalidToken extends Error {
  override readonly name = "InvalidToken";
}

/**
 * Checks access tokens: JWTs that the issuer signed for this server and that are valid now.
 *
 * What it answers holds no token: it has done its work, and nobody behind this point can pass it on or log it.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9068#section-4 and https://www.rfc-editor.org/rfc/rfc8725 for what is checked and why
 */
export class Tokens {
  readonly #config: Pick<TokenConfig, "issuer" | "audience" | "algorithms" | "clockTolerance">;
  readonly #findKey: JWTVerifyGetKey;
  /** By their hashes, so that a dump of the memory holds no tokens. To check a signature costs a good part of what a call does. */
  readonly #good = new LRUCache<string, { readonly authInfo: AuthInfo; readonly until: number }>({
    max: MAX_REMEMBERED,
  });

  constructor(
    config: Pick<TokenConfig, "issuer" | "audience" | "algorithms" | "clockTolerance">,
    findKey: JWTVerifyGetKey,
  ) {
    this.#config = config;
    this.#findKey = findKey;
  }

  /**
   * @throws InvalidToken
   * @throws whatever `findKey` throws that tells nothing of the token
   */
  async check(token: string): Promise<AuthInfo> {
    if (token.length > MAX_LENGTH) throw new InvalidToken(`The token is longer than ${MAX_LENGTH} characters`);
    const key = hash("sha256", token, "base64");
    const known = this.#good.get(key);
    if (known !== undefined && Date.now() < known.until) return known.authInfo;

    const authInfo = await this.#verify(token);
    this.#good.set(key, { authInfo, until: Math.min(Date.now() + REMEMBERED, authInfo.expiresAt * 1000) });
    return authInfo;
  }

  async #verify(token: string): Promise<AuthInfo & { readonly expiresAt: number }> {
    const { issuer, audience, algorithms, clockTolerance } = this.#config;
    const { payload, protectedHeader } = await jwtVerify(token, this.#findKey, {
      issuer,
      audience,
      algorithms: [...algorithms],
      clockTolerance: clockTolerance / 1000,
      requiredClaims: ["exp"],
    }).catch((error: unknown) => {
      throw error instanceof errors.JOSEError ? new InvalidToken(reasonOf(error)) : error;
    });

    if (!TYPES.includes(protectedHeader.typ?.toLowerCase())) throw new InvalidToken("The token is no access token");
    const result = claims.safeParse(payload);
    if (!result.success) throw new InvalidToken("The token has a claim of the wrong kind");
    const { exp, sub, client_id, azp, scope, scp } = result.data;
    const client = client_id ?? azp;
    if (sub === undefined && client === undefined) throw new InvalidToken("The token names neither subject nor client");
    return {
      token: "",
      clientId: client ?? "",
      scopes: scope ?? scp ?? [],
      // When it stops counting here, by this clock.
      expiresAt: exp + clockTolerance / 1000,
      extra: { subject: sub },
    };
  }
}

function reasonOf(error: InstanceType<typeof errors.JOSEError>): string {
  if (error instanceof errors.JWTExpired) return "The token has expired";
  if (error instanceof errors.JWTClaimValidationFailed) {
    return CLAIMS[error.claim] ?? `The token's claim ${error.claim} does not hold`;
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return "The token is signed with an algorithm that is not accepted";
  if (error instanceof errors.JWKSNoMatchingKey)
    return "The token is signed with a key that its issuer does not publish";
  if (error instanceof errors.JWKSMultipleMatchingKeys) return "The token does not say which key it is signed with";
  if (error instanceof errors.JWSSignatureVerificationFailed) return "The token's signature is not its issuer's";
  return "The token is no signed JWT";
}

const CLAIMS: Readonly<Record<string, string>> = {
  aud: "The token is for another server",
  iss: "The token is from another issuer",
  nbf: "The token is not valid yet",
  exp: "The token has no expiry",
};
