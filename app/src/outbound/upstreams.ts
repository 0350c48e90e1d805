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
 * Upstreams that clients found under wildcards of the allow-list. There could be any number, and
 * each has a breaker and a line of health.
 */
const MAX_FOUND = 100;

/**
 * Of these, the upstreams that one client found, so that its failing calls leave room for other
 * clients.
 */
const MAX_FOUND_BY_ONE = 20;

/** Milliseconds that a call waits for a slot. */
const QUEUE_TIMEOUT = 1000;

/**
 * Repetitions a second that are allowed to one upstream, however few calls there are: a lone caller
 * may try again too.
 */
export const MIN_RETRIES = 1;

/** What the names of their breakers begin with. */
const PREFIX = "upstream:";

/** One origin, and what all tools that call it share. */
export interface Upstream {
  /** Scheme, host and port: `https://api.example.com`. */
  readonly origin: string;
  readonly breaker: Breaker;
  readonly bulkhead: Bulkhead;
  readonly budget: RetryBudget;
}

interface Entry extends Upstream {
  readonly isListed: boolean;
  /** Who called it first. */
  readonly client: string | undefined;
  readonly leaveHealth: () => void;
}

export interface UpstreamsOptions {
  readonly breakers: BreakerRegistry;
  readonly health: Pick<Health, "add">;
  readonly settings: BreakerSettings;
  /** Calls under way to one of them. */
  readonly maxConcurrent: number;
  /** Whether the operator has named an origin, and not only names above it. */
  readonly isListed: (origin: string) => boolean;
}

/**
 * Every upstream that the operator has named and that was called, and those found under wildcards
 * lately, least recently used first.
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
   * @param client - who calls it
   * @throws Rejected when this client found too many under wildcards, all of them busy or failing,
   * or when calls to all are under way
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
   * Forgets an upstream that a client found and that no call has reached: a name that does not
   * resolve needs no breaker. To be called after each call.
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

  /** Those that the operator has named: there is an end to them. */
  get listed(): readonly Upstream[] {
    return [...this.#entries.values()].filter(({ isListed }) => isListed);
  }

  /** Whether a breaker is that of an upstream whose name a client has found. */
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
      // While one is down, calls that do not name it are answered as well as ever.
      leaveHealth: health.add(guarded(breaker, { hasFallback: true })),
    };
  }

  /**
   * Forgets one upstream where there are too many. A client that found too many itself loses one of
   * its own that is idle and does not fail: an open breaker must not be reset by calls to other
   * names. Where clients together found too many, and all of these fail, the client that found most
   * loses the one it used longest ago, so that no number of failing names rejects everybody else.
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

/** The upstreams of the client that found most of them. */
function largest(found: readonly Entry[]): readonly Entry[] {
  const byClient = [...Map.groupBy(found, ({ client }) => client).values()];
  return byClient.reduce((most, entries) => (entries.length > most.length ? entries : most), []);
}

/**
 * What an error says about an upstream: nothing where its caller asked for what may not be, or for
 * what the upstream does not do. A client must not close an upstream to others.
 */
export function judge(error: unknown): Outcome {
  const isCallers = error instanceof ToolInputError || (error instanceof UpstreamFailure && error.status === 501);
  return isCallers ? "nothing" : "failure";
}
