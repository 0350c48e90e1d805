import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from "jose";
import { z } from "zod";
import { boundedText } from "../outbound/bounded-text.ts";
import type { Breaker } from "../resilience/breaker.ts";
import { Rejected } from "../resilience/rejection.ts";

/** Milliseconds between two fetches: the time for which a withdrawn key is still accepted. */
const REFRESH_INTERVAL = 10 * 60_000;

/** Milliseconds for which keys are accepted while the issuer cannot be reached. */
const MAX_AGE = 24 * 60 * 60_000;

/** Milliseconds between fetches for unknown keys, because clients can make up key ids. */
const COOLDOWN = 10_000;

/** Real key sets have a few kilobytes. */
const MAX_BYTES = 256 * 1024;

const jwks = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(100) });

/** The issuer's keys cannot be fetched, so the token is neither valid nor invalid. */
export class KeysUnavailable extends Error {
  override readonly name = "KeysUnavailable";
  /** Milliseconds after which a retry makes sense. */
  readonly retryAfterMs: number;

  constructor(cause: unknown) {
    super("the keys that tokens are checked with cannot be fetched at the moment", { cause });
    this.retryAfterMs = Math.max(1000, cause instanceof Rejected ? cause.retryAfterMs : 0);
  }
}

export interface IssuerKeysOptions {
  readonly url: string;
  /** Breaker for the issuer, so that calls do not wait for it while it is down. */
  readonly breaker: Breaker;
  /** Called with the reason of each failed fetch. */
  readonly failed: (error: unknown) => void;
}

/**
 * The public keys of an authorization server (RFC 7517).
 *
 * Known keys are cached, so tokens signed with them are checked also while the issuer is down. An
 * unknown key is fetched at once, so key rotation needs no announcement.
 */
export class IssuerKeys {
  readonly #options: IssuerKeysOptions;
  readonly #remote: ReturnType<typeof createRemoteJWKSet>;
  #known = false;
  #reported: unknown;
  readonly #refreshing: NodeJS.Timeout;

  constructor(options: IssuerKeysOptions) {
    this.#options = options;
    this.#remote = createRemoteJWKSet(new URL(options.url), {
      cacheMaxAge: MAX_AGE,
      cooldownDuration: COOLDOWN,
      [customFetch]: (url, { headers }) => this.#fetch(url, headers),
    });
    // Before the first call, which would have to wait.
    this.#refresh();
    this.#refreshing = setInterval(() => {
      this.#refresh();
    }, REFRESH_INTERVAL);
    this.#refreshing.unref();
  }

  get known(): boolean {
    return this.#known;
  }

  /** Stops the periodic fetch. Unknown keys are still fetched. */
  close(): void {
    clearInterval(this.#refreshing);
  }

  /**
   * Finds the key that a token names.
   *
   * @throws KeysUnavailable
   * @throws errors.JOSEError when the issuer has no such key
   */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    try {
      return await this.#remote(header, token);
    } catch (error) {
      if (isAboutTheToken(error)) throw error;
      this.#report(error);
      throw new KeysUnavailable(error);
    }
  };

  /** Runs in the background; a failure is reported and not thrown. */
  #refresh(): void {
    this.#remote.reload().catch((error: unknown) => {
      this.#report(error);
    });
  }

  async #fetch(url: string, headers: Headers): Promise<Response> {
    const answer = await this.#options.breaker.execute(async ({ signal }) => {
      // A redirect could lead to keys of another party.
      const response = await fetch(url, { headers, signal, redirect: "error" });
      if (response.status !== 200) {
        await response.body?.cancel();
        throw new Error(`${url} answered ${response.status}`);
      }
      return jwks.parse(
        JSON.parse(
          await boundedText(response, MAX_BYTES, () => new Error(`${url} answered with more than ${MAX_BYTES} bytes`)),
        ),
      );
    });
    this.#known = true;
    return Response.json(answer);
  }

  /** Reports a failed fetch once for all calls that wait for it. The breaker has its own log. */
  #report(error: unknown): void {
    if (error instanceof Rejected || error === this.#reported) return;
    this.#reported = error;
    this.#options.failed(error);
  }
}

/** Whether the error is about the token. Other errors are failures of this server or the issuer. */
function isAboutTheToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}
