import type { BreakerSettings } from "../config/breakers.ts";
import { ToolInputError } from "../errors/tool-input-error.ts";
import { guarded } from "../health/guarded.ts";
import type { Health } from "../health/health.ts";
import type { Breaker } from "../resilience/breaker.ts";
import type { Outcome } from "../resilience/breaker-options.ts";
import type { BreakerRegistry } from "../resilience/breaker-registry.ts";
import { Bulkhead } from "../resilience/bulkhead.ts";
import { thrown } from "../resilience/rejection.ts";
import { RetryBudget } from "../resilience/retry-budget.ts";
import { Unresolved, UpstreamFailure } from "./upstream-failure.ts";

/**
 * Upstreams that clients found under wildcards of the allow-list. Each has a breaker and a line of
 * health, so their number is limited.
 */
const MAX_FOUND = 100;

/** Upstreams found by one client, so that its failing calls leave room for other clients. */
const MAX_FOUND_BY_ONE = 20;

/** Milliseconds that a call waits for a slot. */
const QUEUE_TIMEOUT = 1000;

/** Retries per second to one upstream besides its share of calls, for single callers. */
export const MIN_RETRIES = 1;

/** Prefix of the names of their breakers. */
const PREFIX = "upstream:";

/** One origin with the policies that all tools share. */
export interface Upstream {
  /** Scheme, host and port: `https://api.example.com`. */
  readonly origin: string;
  readonly breaker: Breaker;
  readonly bulkhead: Bulkhead;
  readonly budget: RetryBudget;
}

interface Entry extends Upstream {
  readonly isListed: boolean;
  /** The client that called it first. */
  readonly client: string | undefined;
  readonly leaveHealth: () => void;
}

export interface UpstreamsOptions {
  readonly breakers: BreakerRegistry;
  readonly health: Pick<Health, "add">;
  readonly settings: BreakerSettings;
  readonly maxConcurrent: number;
  /** Whether the operator has named the origin, and not only a wildcard. */
  readonly isListed: (origin: string) => boolean;
}

/**
 * The upstreams that the operator has named, and those that clients found under wildcards, least
 * recently used first.
 */
export class Upstreams {
  readonly #options: UpstreamsOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: UpstreamsOptions) {
    this.#options = options;
  }

  /**
   * The upstream of an origin. One that the operator has named is never forgotten.
   *
   * @param client - the caller
   * @throws Rejected when this client found too many under wildcards, all of them busy or failing,
   *   or when all upstreams are busy
   */
  of(origin: string, client?: string): Upstream {
    const entry = this.#entries.get(origin) ?? this.#create(origin, client);
    this.#entries.delete(origin);
    this.#entries.set(origin, entry);
    return entry;
  }

  /** The upstream of an origin, unless it is forgotten. */
  get(origin: string): Upstream | undefined {
    return this.#entries.get(origin);
  }

  /**
   * Forgets an upstream that no call has reached, such as a name that does not resolve. Call it
   * after each call.
   */
  settle(origin: string): void {
    const entry = this.#entries.get(origin);
    if (entry === undefined || entry.isListed || entry.bulkhead.inFlight > 0) return;
    const { state, successes, failures } = entry.breaker.stats;
    if (state === "closed" && successes + failures === 0) this.#forget(entry);
  }

  [Symbol.iterator](): MapIterator<Upstream> {
    return this.#entries.values();
  }

  /** Those that the operator has named: their number is limited. */
  get listed(): readonly Upstream[] {
    return [...this.#entries.values()].filter(({ isListed }) => isListed);
  }

  /** Whether a breaker belongs to an upstream that a client found. */
  isFoundByClient({ name }: Pick<Breaker, "name">): boolean {
    return name.startsWith(PREFIX) && this.#entries.get(name.slice(PREFIX.length))?.isListed !== true;
  }

  #create(origin: string, client: string | undefined): Entry {
    const isListed = this.#options.isListed(origin);
    if (!isListed) this.#makeRoomFor(client);
    const { breakers, health, settings, maxConcurrent } = this.#options;
    const name = `${PREFIX}${origin}`;
    const breaker = breakers.create({
      ...settings,
      name,
      judge: (error) => (error instanceof Unresolved && !isListed ? "nothing" : judge(error)),
    });
    return {
      origin,
      breaker,
      bulkhead: new Bulkhead({ name, maxConcurrent, maxQueue: 2 * maxConcurrent, queueTimeout: QUEUE_TIMEOUT }),
      budget: new RetryBudget({ perSecond: MIN_RETRIES }),
      isListed,
      client,
      // While one upstream is down, all other calls are answered.
      leaveHealth: health.add(guarded(breaker, { hasFallback: true })),
    };
  }

  /**
   * Forgets one upstream if there are too many. A client that found too many loses an idle one of
   * its own that does not fail, so that calls to other names cannot reset an open breaker. If
   * clients together found too many and all of them fail, the client with the most loses its least
   * recently used one, so that failing names cannot block other clients.
   */
  #makeRoomFor(client: string | undefined): void {
    const found = [...this.#entries.values()].filter(({ isListed }) => !isListed);
    const own = found.filter((entry) => entry.client === client);
    if (own.length < MAX_FOUND_BY_ONE && found.length < MAX_FOUND) return;
    const isIdle = ({ bulkhead }: Entry) => bulkhead.inFlight === 0;
    const dispensable = (entry: Entry) => isIdle(entry) && entry.breaker.stats.retryAfterMs === 0;
    const victim =
      own.length >= MAX_FOUND_BY_ONE
        ? own.find(dispensable)
        : (found.find(dispensable) ?? largest(found).find((entry) => isIdle(entry) && !entry.breaker.stats.forced));
    if (victim === undefined) {
      const times = own.map(({ breaker }) => breaker.stats.retryAfterMs).filter((time) => time > 0);
      const retryAfterMs = times.length > 0 ? Math.min(...times) : 0;
      throw thrown({ admitted: false, reason: "full", policy: "upstreams under wildcards", retryAfterMs });
    }
    this.#forget(victim);
  }

  #forget({ origin, breaker, leaveHealth }: Entry): void {
    this.#entries.delete(origin);
    this.#options.breakers.remove(breaker.name);
    leaveHealth();
  }
}

/** The upstreams of the client that found the most. */
function largest(found: readonly Entry[]): readonly Entry[] {
  const byClient = [...Map.groupBy(found, ({ client }) => client).values()];
  return byClient.reduce((most, entries) => (entries.length > most.length ? entries : most), []);
}

/**
 * The outcome of an error for the upstream. Errors of the caller, and requests that an upstream
 * does not implement, do not count: a client must not open the breaker for others.
 */
export function judge(error: unknown): Outcome {
  const isCallers = error instanceof ToolInputError || (error instanceof UpstreamFailure && error.status === 501);
  return isCallers ? "nothing" : "failure";
}
