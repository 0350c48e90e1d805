import type { BreakerSettings } from "../config/breakers.ts";
import type { PoolConfig } from "../config/outbound.ts";
import { ToolInputError } from "../errors/tool-input-error.ts";
import type { Strategy } from "../resilience/balancing.ts";
import type { Call } from "../resilience/call.ts";
import { compose } from "../resilience/compose.ts";
import { Deadline } from "../resilience/deadline.ts";
import { LoadBalancer, type EndpointHealth } from "../resilience/load-balancer.ts";
import { Rejected } from "../resilience/rejection.ts";
import { RetryBudget } from "../resilience/retry-budget.ts";
import { Attempts } from "./attempts.ts";
import type { HttpClient, HttpAnswer, SendOptions } from "./http-client.ts";
import { isRepeatable, type HttpRequest } from "./request.ts";
import { onBehalf } from "./request-call.ts";
import { judge, MIN_RETRIES, type Upstream } from "./upstreams.ts";

/** A request to a pool: everything except the endpoint. */
export interface PoolRequest extends Omit<HttpRequest, "url"> {
  /** Begins with a slash; may have a query. */
  readonly path: string;
}

/**
 * Equivalent endpoints behind a load balancer. The breaker of an endpoint's upstream ejects it, so
 * calls of other tools count as well. All endpoints may be ejected at the same time.
 */
export class Pool {
  readonly name: string;
  readonly #outbound: HttpClient;
  readonly #balancer: LoadBalancer<Upstream>;
  readonly #budget = new RetryBudget({ perSecond: MIN_RETRIES });
  /** For each attempt. */
  readonly #timeout: Deadline;

  /** @param settings - of the upstreams' breakers; `timeout` is for one attempt */
  constructor({ name, endpoints }: PoolConfig, outbound: HttpClient, settings: BreakerSettings) {
    const upstreams = endpoints.map(({ origin, weight }) => ({ weight, upstream: outbound.upstreams.of(origin) }));
    this.name = name;
    this.#outbound = outbound;
    this.#timeout = new Deadline(settings);
    this.#balancer = new LoadBalancer({
      name: `pool:${name}`,
      endpoints: upstreams.map(({ weight, upstream }) => ({
        name: upstream.origin,
        target: upstream,
        weight,
        breaker: upstream.breaker,
      })),
      judge: (error) => (error instanceof Rejected ? "nothing" : judge(error)),
    });
  }

  get endpoints(): readonly EndpointHealth[] {
    return this.#balancer.endpoints;
  }

  setWeight(endpoint: string, weight: number): void {
    this.#balancer.setWeight(endpoint, weight);
  }

  /**
   * Sends a request to one endpoint; a retry may use another one. Redirects are not followed.
   *
   * @throws ToolInputError for a path that leads out of the pool
   * @throws UpstreamFailure, Rejected, DeadlineExceeded
   */
  send({ path, ...request }: PoolRequest, strategy: Strategy, call: Call, options: SendOptions): Promise<HttpAnswer> {
    const requestTo = (origin: string) => this.#outbound.check({ ...request, url: urlOn(origin, path) });
    const [sample] = this.endpoints;
    const repeatable = sample !== undefined && isRepeatable(requestTo(sample.endpoint));
    const attempts = new Attempts(this.#balancer.name, this.#budget, options);
    const one = (upstream: Upstream, inner: Call) =>
      compose({ limit: upstream.bulkhead, timeout: this.#timeout }).execute(
        (last) => this.#outbound.exchange(requestTo(upstream.origin), last),
        inner,
      );
    const balanced = (all: Call) =>
      attempts.retry.execute((each) => attempts.make(() => this.#balancer.execute(one, strategy, each)), all);
    return onBehalf((all) => attempts.outcome(balanced(all)), call, { repeatable, within: options.within });
  }
}

/** A path that begins with two slashes or a backslash would name another host. */
function urlOn(origin: string, path: string): string {
  const url = URL.parse(path, origin);
  if (!path.startsWith("/") || url?.origin !== origin)
    throw new ToolInputError(`'path' must be a path on the endpoint that begins with one slash, such as '/search?q=x'`);
  return url.href;
}
