import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from "jose";
import { z } from "zod";
import { boundedText } from "../outbound/bounded-text.ts";
import type { Breaker } from "../resilience/breaker.ts";
import { Rejected } from "../resilience/rejection.ts";

/** Milliseconds between two fetches, whether anybody calls or not: how long a key that its issuer withdraws still counts. */
const REFRESH_INTERVAL = 10 * 60_000;

/** Milliseconds that keys go on counting while their issuer cannot be asked. */
const MAX_AGE = 24 * 60 * 60_000;

/** Milliseconds after a fetch in which no unknown key causes another: anybody can make one up. */
const COOLDOWN = 10_000;

/** Real key sets are some kilobytes. */
const MAX_BYTES = 256 * 1024;

const jwks = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(100) });

/** The issuer's keys could not be had: nothing is known of the token, good or bad. */
export class KeysUnavailable extends Error {
  override readonly name = "KeysUnavailable";
  /** Milliseconds after which it is worth trying again. */
  readonly retryAfterMs: number;

  constructor(cause: unknown) {
    super("the keys that tokens are checked with cannot be fetched at the moment", { cause });
    this.retryAfterMs = Math.max(1000, cause instanceof Rejected ? cause.retryAfterMs : 0);
  }
}

export interface IssuerKeysOptions {
  readonly url: string;
  /** Guards the issuer: while it is down, few ask it, and the others need not wait to be told. */
  readonly breaker: Breaker;
  /** Hears why a fetch failed. */
  readonly failed: (error: unknown) => void;
}

/**
 * The public keys of an authorization server, as it publishes them (RFC 7517).
 *
 * They are kept: a token that is signed with a known key is checked without asking anybody, whether the issuer can be reached or not.
 * A key that is not known is looked for at once, so that a rotation needs no notice.
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
    // At once, so that the first call need not wait for them.
    this.#refresh();
    this.#refreshing = setInterval(() => {
      this.#refresh();
    }, REFRESH_INTERVAL);
    this.#refreshing.unref();
  }

  /** Whether there are any. */
  get known(): boolean {
    return this.#known;
  }

  /** From now on, nothing is fetched that no call needs. */
  close(): void {
    clearInterval(this.#refreshing);
  }

  /**
   * The key that a token says it is signed with.
   *
   * @throws KeysUnavailable
   * @throws errors.JOSEError when there is no such key
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

  /** Is not waited for; a failure is reported, not thrown. */
  #refresh(): void {
    this.#remote.reload().catch((error: unknown) => {
      this.#report(error);
    });
  }

  async #fetch(url: string, headers: Headers): Promise<Response> {
    const answer = await this.#options.breaker.execute(async ({ signal }) => {
      // A redirect would let somebody else choose whose keys count.
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

  /** Once for all that wait for the same fetch; that the breaker is open has its own report. */
  #report(error: unknown): void {
    if (error instanceof Rejected || error === this.#reported) return;
    this.#reported = error;
    this.#options.failed(error);
  }
}

/** Everything else is a failure on this side, and must not make a good token look like a bad one. */
function isAboutTheToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}
