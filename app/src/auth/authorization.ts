import type { IncomingMessage } from "node:http";
import { getOAuthProtectedResourceMetadataUrl, type AuthInfo } from "@modelcontextprotocol/server";
import type { TokenConfig } from "../config/auth.ts";
import { INVALID_REQUEST, HttpError, REFUSED } from "../errors/http-error.ts";
import { KeysUnavailable, type IssuerKeys } from "./issuer-keys.ts";
import { InvalidToken, type Tokens } from "./tokens.ts";

const WELL_KNOWN = "/.well-known/oauth-protected-resource";

/** Syntax of a bearer token in RFC 6750. */
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i;

/**
 * Admits only requests with a valid token, and tells other clients where to get one.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-3 for the challenge
 * @see https://www.rfc-editor.org/rfc/rfc9728 for the metadata
 */
export class Authorization {
  /** JSON text of the resource metadata (RFC 9728): this server and the issuer of its tokens. */
  readonly metadata: string;
  /** Paths of the metadata: the one in every challenge, and those that clients derive. */
  readonly metadataPaths: ReadonlySet<string>;
  readonly #tokens: Tokens;
  readonly #keys: Pick<IssuerKeys, "close">;
  readonly #requiredScopes: readonly string[];
  readonly #metadataUrl: string;

  constructor({ audience, issuer, requiredScopes }: TokenConfig, tokens: Tokens, keys: Pick<IssuerKeys, "close">) {
    this.#tokens = tokens;
    this.#keys = keys;
    this.#requiredScopes = requiredScopes;
    this.#metadataUrl = getOAuthProtectedResourceMetadataUrl(new URL(audience));
    this.metadataPaths = new Set([WELL_KNOWN, `${WELL_KNOWN}/mcp`, new URL(this.#metadataUrl).pathname]);
    this.metadata = JSON.stringify({
      resource: audience,
      authorization_servers: [issuer],
      // Only the scopes that every call needs. Clients request others when a tool needs them.
      scopes_supported: requiredScopes.length > 0 ? requiredScopes : undefined,
      bearer_methods_supported: ["header"],
    });
  }

  /**
   * The client and its scopes.
   *
   * @throws HttpError 401 without a valid token, 403 without a required scope, 400 for more than
   *   one token, 503 when tokens cannot be checked
   */
  async authenticate(request: IncomingMessage): Promise<AuthInfo> {
    const token = this.#tokenOf(request);
    try {
      const authInfo = await this.#tokens.check(token);
      if (!this.#requiredScopes.every((scope) => authInfo.scopes.includes(scope))) {
        throw this.#refusal(403, "insufficient_scope", "The token does not grant what every call needs");
      }
      return { ...authInfo, resourceMetadataUrl: this.#metadataUrl };
    } catch (error) {
      if (error instanceof InvalidToken) throw this.#refusal(401, "invalid_token", error.message);
      if (!(error instanceof KeysUnavailable)) throw error;
      const { message, retryAfterMs } = error;
      throw new HttpError(503, REFUSED, `Tokens cannot be checked: ${message}; try again later`, {
        headers: { "retry-after": String(Math.ceil(retryAfterMs / 1000)) },
        data: { retryAfterMs: Math.ceil(retryAfterMs) },
      });
    }
  }

  /** Ends the background refresh of keys. */
  close(): void {
    this.#keys.close();
  }

  #tokenOf({ headersDistinct, url }: IncomingMessage): string {
    const [given, another] = headersDistinct.authorization ?? [];
    if (another !== undefined) throw this.#refusal(400, "invalid_request", "There must be one Authorization header");
    // URLs are written to logs and histories.
    if (new URL(url ?? "/", "http://localhost").searchParams.has("access_token")) {
      throw this.#refusal(
        400,
        "invalid_request",
        "A token belongs into the Authorization header, never into the address",
      );
    }
    if (given === undefined || !/^bearer\b/i.test(given)) {
      // No error code: RFC 6750 has none for a request without a token.
      throw this.#refusal(401, undefined, "This server needs an access token: Authorization: Bearer …");
    }
    const token = BEARER.exec(given)?.[1];
    if (token === undefined)
      throw this.#refusal(401, "invalid_token", "The Authorization header holds no bearer token");
    return token;
  }

  #refusal(status: 400 | 401 | 403, error: string | undefined, description: string): HttpError {
    const challenge = {
      ...(error === undefined ? {} : { error, error_description: description }),
      ...(this.#requiredScopes.length > 0 ? { scope: this.#requiredScopes.join(" ") } : {}),
      resource_metadata: this.#metadataUrl,
    };
    const parameters = Object.entries(challenge).map(([name, value]) => `${name}="${value}"`);
    return new HttpError(status, status === 400 ? INVALID_REQUEST : REFUSED, description, {
      headers: { "www-authenticate": `Bearer ${parameters.join(", ")}` },
    });
  }
}
