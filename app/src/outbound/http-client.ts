import { STATUS_CODES } from "node:http";
import type { BreakerSettings } from "../config/breakers.ts";
import { portOf, type AllowedHost, type OutboundConfig } from "../config/outbound.ts";
import type { Health } from "../health/health.ts";
import type { BreakerRegistry } from "../resilience/breaker-registry.ts";
import type { Call } from "../resilience/call.ts";
import { compose } from "../resilience/compose.ts";
import { parseRetryAfter } from "../resilience/retry-after.ts";
import { Addresses, type Resolve } from "./addresses.ts";
import { AllowList } from "./allow-list.ts";
import { Attempts, type AttemptsOptions } from "./attempts.ts";
import { checkRequest, isRepeatable, redirected, type CheckedRequest, type HttpRequest } from "./request.ts";
import { onBehalf } from "./request-call.ts";
import { UpstreamFailure } from "./upstream-failure.ts";
import { Upstreams } from "./upstreams.ts";
import { Wire, type WireAnswer } from "./wire.ts";

const MAX_REDIRECTS = 5;

/** Characters of a failed answer's body in the message, because it often contains the reason. */
const EXCERPT = 200;

/** Longest Retry-After that is accepted, in milliseconds. */
const LONGEST_WAIT = 86_400_000;

export interface SendOptions extends AttemptsOptions {
  /** Milliseconds for all attempts. @default - the time of the call */
  readonly within?: number | undefined;
}

export interface HttpAnswer extends WireAnswer {
  /** URL of the answer, after redirects. */
  readonly url: URL;
}

export interface HttpClientOptions extends OutboundConfig {
  readonly breakers: BreakerRegistry;
  readonly health: Pick<Health, "add">;
  /** Settings of each upstream's breaker; `timeout` is for one attempt. */
  readonly settings: BreakerSettings;
  /** @default - the system's resolver */
  readonly resolve?: Resolve;
}

/**
 * Calls to URLs that clients give. The operator decides which hosts may be called; addresses and
 * redirects are checked for each request. Each upstream has a breaker, a bulkhead and a retry
 * budget, shared by all tools.
 */
export class HttpClient {
  readonly upstreams: Upstreams;
  readonly #allowed: AllowList;
  readonly #wire: Wire;

  constructor(options: HttpClientOptions) {
    const { allow, allowPrivate, pools, maxConcurrent, resolve } = options;
    const endpoints = pools.flatMap((pool) => pool.endpoints.map(({ origin }) => new URL(origin)));
    this.#allowed = new AllowList([...allow, ...endpoints.map(exactly)]);
    const mayBePrivate = new Set([...allowPrivate, ...endpoints.map(({ hostname }) => hostname)]);
    this.#wire = new Wire(new Addresses(mayBePrivate, resolve), maxConcurrent);
    this.upstreams = new Upstreams({ ...options, isListed: (origin) => this.#allowed.names(origin) });
  }

  /** @throws ToolInputError for a request that is not allowed */
  check(request: HttpRequest): CheckedRequest {
    return checkRequest(request, this.#allowed);
  }

  /**
   * Sends a request through the policies of its upstream, and follows redirects through theirs.
   *
   * @throws ToolInputError when a redirect leads to a host that may not be called
   * @throws UpstreamFailure for no answer, 429 and 5xx; other statuses are answers
   * @throws Rejected, DeadlineExceeded
   */
  send(request: CheckedRequest, call: Call, options: SendOptions = {}): Promise<HttpAnswer> {
    const follow = async (inner: Call): Promise<HttpAnswer> => {
      let next = request;
      for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
        const answer = await this.#guarded(next, inner, options);
        const { location } = answer.headers;
        const further = redirected(next, { status: answer.status, location }, this.#allowed);
        if (further === undefined) return answer;
        next = further;
      }
      throw new UpstreamFailure(`${request.url.origin} redirects more than ${MAX_REDIRECTS} times`, {
        isTransient: false,
      });
    };
    return onBehalf(follow, call, { repeatable: isRepeatable(request), within: options.within });
  }

  /**
   * Sends a request once, without any policy.
   *
   * @throws ToolInputError, UpstreamFailure
   */
  async exchange(request: CheckedRequest, call: Call): Promise<HttpAnswer> {
    const { url } = request;
    const answer = await this.#wire.send(request, call.signal);
    if (answer.status === 429 || answer.status >= 500) throw failed(url.origin, answer);
    return { ...answer, url };
  }

  close(): void {
    this.#wire.close();
  }

  async #guarded(request: CheckedRequest, call: Call, options: AttemptsOptions): Promise<HttpAnswer> {
    const { origin } = request.url;
    const { breaker, bulkhead, budget } = this.upstreams.of(origin, call.client);
    const attempts = new Attempts(breaker.name, budget, options);
    const guarded = compose({ limit: bulkhead, retry: attempts.retry }).execute(
      (each) => attempts.make(() => breaker.execute((inner) => this.exchange(request, inner), each)),
      call,
    );
    try {
      return await attempts.outcome(guarded);
    } finally {
      this.upstreams.settle(origin);
    }
  }
}

const exactly = (url: URL): AllowedHost => ({
  protocol: url.protocol === "https:" ? "https:" : "http:",
  host: url.hostname,
  port: portOf(url),
  subdomains: false,
});

function failed(origin: string, { status, headers, body }: WireAnswer): UpstreamFailure {
  const retryAfterMs = Math.min(parseRetryAfter(headers["retry-after"] ?? null) ?? 0, LONGEST_WAIT);
  const excerpt = /^(text\/plain|application\/([a-z.-]+\+)?json)\b/.test(headers["content-type"] ?? "")
    ? body.toString("utf8").replace(/\s+/g, " ").slice(0, EXCERPT).trim()
    : "";
  return new UpstreamFailure(
    `${origin} answered ${status}${status in STATUS_CODES ? ` ${STATUS_CODES[status] ?? ""}` : ""}${excerpt === "" ? "" : `: ${excerpt}`}`,
    // 501 and 505 are permanent.
    { status, retryAfterMs, isTransient: status !== 501 && status !== 505 },
  );
}
