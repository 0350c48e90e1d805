import { hash } from "node:crypto";
import type { AuthInfo } from "@modelcontextprotocol/server";
import { errors, jwtVerify, type JWTVerifyGetKey } from "jose";
import { LRUCache } from "lru-cache";
import { z } from "zod";
import type { TokenConfig } from "../config/auth.ts";

/** Characters. Real tokens have 1 to 3 kB; all headers of a request may have 16 kB. */
const MAX_LENGTH = 8192;

/** Milliseconds for which a valid token is cached. Clients send the same one with each request. */
const REMEMBERED = 60_000;

/** Cached tokens, about 500 bytes each. */
const MAX_REMEMBERED = 2000;

/** Types of access tokens (RFC 9068). Older issuers write `JWT` or no type. */
const TYPES: readonly (string | undefined)[] = [undefined, "jwt", "at+jwt", "application/at+jwt"];

const scopes = z.union([z.string().transform((text) => text.split(" ").filter(Boolean)), z.array(z.string())]);

const claims = z.object({
  exp: z.number(),
  sub: z.string().min(1).optional(),
  client_id: z.string().min(1).optional(),
  /** The client, in OpenID Connect. */
  azp: z.string().min(1).optional(),
  scope: scopes.optional(),
  /** The name of `scope` at some issuers. */
  scp: scopes.optional(),
});

/**
 * An invalid token. The message gives the reason, may be written in a header, and contains nothing
 * of the token.
 */
export class InvalidToken extends Error {
  override readonly name = "InvalidToken";
}

/**
 * Checks access tokens: valid JWTs that the issuer signed for this server.
 *
 * The result does not contain the token, so that code behind this check cannot log it or pass it
 * on.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9068#section-4
 * @see https://www.rfc-editor.org/rfc/rfc8725
 */
export class Tokens {
  readonly #config: Pick<TokenConfig, "issuer" | "audience" | "algorithms" | "clockTolerance">;
  readonly #findKey: JWTVerifyGetKey;
  /**
   * Keyed by hash, so that a memory dump contains no tokens. Cached because a signature check costs
   * a large part of a call.
   */
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
   * @throws errors of `findKey` that are not about the token
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
      // End of validity by this server's clock.
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
