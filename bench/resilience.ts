import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as cockatiel from "cockatiel";
import Opossum from "opossum";
import { AdaptiveRule } from "../app/src/resilience/adaptive-rule.ts";
import { Breaker } from "../app/src/resilience/breaker.ts";
import { BreakerRegistry } from "../app/src/resilience/breaker-registry.ts";
import { Bulkhead } from "../app/src/resilience/bulkhead.ts";
import { CallerCall } from "../app/src/resilience/call.ts";
import { compose } from "../app/src/resilience/compose.ts";
import { Deadline } from "../app/src/resilience/deadline.ts";
import { FailureRate } from "../app/src/resilience/failure-rate.ts";
import { Fallback } from "../app/src/resilience/fallback.ts";
import { LoadBalancer } from "../app/src/resilience/load-balancer.ts";
import { RateLimiter } from "../app/src/resilience/rate-limiter.ts";
import { Retry } from "../app/src/resilience/retry.ts";
import { median, type Measurement } from "./measurement.ts";

const ROUNDS = 11;
const CALLS = 100_000;
const BREAKERS = 100_000;

/** One thing to be done many times, one after the other. */
interface Case {
  readonly what: string;
  /** The most microseconds that it may take. @default - it is there for comparison */
  readonly bar?: number;
  /** Count only what it takes longer than awaiting the bare work. */
  readonly overBare?: true;
  readonly once: () => Promise<unknown>;
}

const work = () => Promise.resolve(1);

/** What the policies cost, beside others that do the same in the same process. The work that they guard does nothing. */
export async function resilience(): Promise<Measurement[]> {
  const cases = [...breakers(), ...rejections(), ...stacks(), ...others()];
  const taken = cases.map((): number[] => []);
  const bare: number[] = [];
  // In turns, so that whatever else the machine does in between meets all of them.
  for (let round = -1; round < ROUNDS; round += 1) {
    const base = await microseconds(work);
    if (round >= 0) bare.push(base);
    for (const [index, { once, overBare }] of cases.entries()) {
      const each = await microseconds(once);
      if (round >= 0) taken[index]?.push(overBare ? each - base : each);
    }
  }
  return [
    { what: "a bare await", value: median(bare), unit: "µs", runs: ROUNDS },
    ...cases.map(({ what, bar }, index): Measurement => ({
      what,
      value: median(taken[index] ?? []),
      unit: "µs",
      runs: ROUNDS,
      ...(bar !== undefined && { bar }),
    })),
    ...registry(),
  ];
}

async function microseconds(once: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  for (let call = 0; call < CALLS; call += 1) await once();
  return ((performance.now() - start) * 1000) / CALLS;
}

const options = { name: "api", failureThreshold: 5, recoveryTimeout: 1000 };

const cockatielBreaker = () =>
  cockatiel.circuitBreaker(cockatiel.handleAll, { halfOpenAfter: 1000, breaker: new cockatiel.ConsecutiveBreaker(5) });

function breakers(): Case[] {
  const breaker = new Breaker(options);
  const rated = new Breaker({ name: "api", recoveryTimeout: 1000, rule: new FailureRate() });
  const timed = new Breaker({ ...options, timeout: 10_000 });
  const adaptive = new Breaker({ name: "api", recoveryTimeout: 1000, rule: new AdaptiveRule() });
  const theirs = cockatielBreaker();
  const opossum = new Opossum(work, { timeout: false });
  const opossumTimed = new Opossum(work, { timeout: 10_000 });
  return [
    { what: "breaker, closed, over it", bar: 0.15, overBare: true, once: () => breaker.execute(work) },
    { what: "  cockatiel's", overBare: true, once: () => theirs.execute(work) },
    { what: "  opossum's", overBare: true, once: () => opossum.fire() },
    { what: "breaker by failure rate", overBare: true, once: () => rated.execute(work) },
    { what: "adaptive breaker", overBare: true, once: () => adaptive.execute(work) },
    { what: "breaker with a timeout", overBare: true, once: () => timed.execute(work) },
    { what: "  opossum's", overBare: true, once: () => opossumTimed.fire() },
  ];
}

function rejections(): Case[] {
  const breaker = new Breaker(options);
  breaker.forceOpen();
  const theirs = cockatielBreaker();
  theirs.isolate();
  const opossum = new Opossum(work, { timeout: false });
  opossum.open();
  let told = 0;
  const count = () => (told += 1);
  return [
    {
      what: "rejection by tryAcquire, with its await",
      bar: 0.2,
      once: () => {
        const answer = breaker.tryAcquire();
        // Looked at, or the compiler would see that nobody wants it.
        if (!answer.admitted) told += answer.retryAfterMs;
        return work();
      },
    },
    { what: "rejection by execute", bar: 3, once: () => breaker.execute(work).catch(count) },
    { what: "  cockatiel's", once: () => theirs.execute(work).catch(count) },
    { what: "  opossum's", once: () => opossum.fire().catch(count) },
  ];
}

function stacks(): Case[] {
  const five = compose({
    rateLimiter: new RateLimiter({ name: "api", rate: 1e9 }),
    limit: new Bulkhead({ name: "api", maxConcurrent: 10 }),
    retry: new Retry({ name: "api" }),
    breaker: new Breaker(options),
    timeout: new Deadline({ timeout: 10_000 }),
  });
  const { signal } = new AbortController();
  const four = cockatiel.wrap(
    cockatiel.bulkhead(10),
    cockatiel.retry(cockatiel.handleAll, { maxAttempts: 3, backoff: new cockatiel.ExponentialBackoff() }),
    cockatielBreaker(),
    cockatiel.timeout(10_000, cockatiel.TimeoutStrategy.Aggressive),
  );
  return [
    {
      what: "limiter, bulkhead, retry, breaker, timeout",
      bar: 2,
      once: () => five.execute(work, new CallerCall({ client: "alice", repeatable: true })),
    },
    {
      what: "  for a caller who may cancel",
      once: () => five.execute(work, new CallerCall({ client: "alice", repeatable: true, signal })),
    },
    { what: "  cockatiel's, without a limiter", once: () => four.execute(work) },
  ];
}

function others(): Case[] {
  const alice = new CallerCall({ client: "alice", repeatable: true });
  const deadline = new Deadline({ timeout: 10_000 });
  const theirs = cockatiel.timeout(10_000, cockatiel.TimeoutStrategy.Aggressive);
  const bulkhead = new Bulkhead({ name: "api", maxConcurrent: 10 });
  const limiter = new RateLimiter({ name: "api", rate: 1e9 });
  const retry = new Retry({ name: "api" });
  const fallback = new Fallback({ answer: () => 0 });
  const endpoints = Array.from({ length: 10 }, (_, index) => ({
    name: String(index),
    target: index,
    breaker: new Breaker({ ...options, name: String(index) }),
  }));
  const balancer = new LoadBalancer({ name: "api", endpoints });
  return [
    { what: "deadline", overBare: true, once: () => deadline.execute(work) },
    { what: "  cockatiel's", overBare: true, once: () => theirs.execute(work) },
    { what: "bulkhead", overBare: true, once: () => bulkhead.execute(work) },
    { what: "rate limiter", overBare: true, once: () => limiter.execute(work, alice) },
    { what: "retry", overBare: true, once: () => retry.execute(work, alice) },
    { what: "load balancer of 10", overBare: true, once: () => balancer.execute(work, "least-loaded") },
    { what: "fallback", overBare: true, once: () => fallback.execute(work) },
  ];
}

/** Many breakers: made and registered, walked, and what one of them holds in memory. */
function registry(): Measurement[] {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  // Before any others were made, which might not be gone yet.
  const before = process.memoryUsage().heapUsed;
  const kept = makeAndWalk();
  collect();
  const bytes = (process.memoryUsage().heapUsed - before) / kept.size;
  const times: number[] = [];
  for (let round = -1; round < ROUNDS; round += 1) {
    collect();
    const start = performance.now();
    makeAndWalk();
    if (round >= 0) times.push(performance.now() - start);
  }
  return [
    { what: "100,000 breakers made, registered and walked", value: median(times), unit: "ms", bar: 50, runs: ROUNDS },
    { what: "a breaker's memory, registered, with its name", value: bytes, unit: "B", bar: 500, runs: 1 },
  ];
}

function makeAndWalk(): BreakerRegistry {
  const all = new BreakerRegistry();
  for (let index = 0; index < BREAKERS; index += 1) all.create({ ...options, name: `breaker ${index}` });
  let open = 0;
  for (const { state } of all) if (state === "open") open += 1;
  if (open > 0) throw new Error(`${open} breakers are open that nobody has called`);
  return all;
}
