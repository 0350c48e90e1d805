import { other } from "../../environment/color.ts";
import type { BakeContext, Check, GateContext, Verdict } from "../gates/gate.ts";
import { erasOf } from "../measure/client.ts";
import { Control, CONTROL_WAIT_MS, type ControlVerdict } from "../statistics/control.ts";
import { ExcessTest, type Exceeded } from "../statistics/excess-test.ts";
import type { Increment, Span } from "../statistics/increment.ts";
import { isAlwaysBad, judged, type Comparison } from "./comparison.ts";
import { callsInWords, count, intervalInWords, percent } from "./in-words.ts";
import { LiveCalls, type LiveReading } from "./live-calls.ts";
import { callsNeededInWords, objectives, type Objective } from "./objectives.ts";
import { SyntheticCalls, type SyntheticCall } from "./synthetic-calls.ts";

/** One sequential test: an objective, held to the calls of one source. */
interface Test extends Comparison {
  readonly source: "live" | "synthetic";
  readonly test: ExcessTest;
}

const SOURCES = ["live", "synthetic"] as const;

/** The part of the bake's α that each source spends, half of it on each objective. Live calls are what a bake is about. */
export const PART_OF_ALPHA = { live: 0.9, synthetic: 0.1 } as const;

/** Upper bound for the synthetic calls per second that make up for missing traffic. */
const MOST_PER_SECOND = 20;

/**
 * The calls of the new color in one bake, under four sequential tests: failed and slow calls, live and synthetic ones. Many
 * good synthetic calls would hide failing live ones, so each is judged alone.
 *
 * The same synthetic calls go to the old color. When a test says roll back, they tell whether both colors suffer from the
 * same outage. Then the calls of its time are set aside on both sides, and the bake goes on.
 */
export class CallsUnderTest implements Check {
  readonly #context: BakeContext;
  readonly #comparisons: readonly Comparison[];
  readonly #tests: readonly Test[];
  /** None if the server has no metrics. */
  readonly #live?: LiveCalls;
  readonly #synthetic: SyntheticCalls;
  readonly #control: SyntheticCalls;
  readonly #setAsideSpans: Span[] = [];
  #readAt: number;
  /** When all ready pods were read the last time: what they count since then may be as old. */
  #liveReadAt: number;
  #announced = false;

  constructor(context: BakeContext) {
    const { target, environment, color, clock, signal } = context;
    const { bake, smoke } = environment.release;
    this.#context = context;
    this.#comparisons = objectives(bake).map((objective) => {
      return { objective, control: new Control({ limit: objective.limit }), old: [], new: [] };
    });
    this.#tests = SOURCES.flatMap((source) =>
      this.#comparisons.map((comparison) => {
        const alpha = (PART_OF_ALPHA[source] * bake.alpha) / this.#comparisons.length;
        return { ...comparison, source, test: new ExcessTest({ limit: comparison.objective.limit, alpha }) };
      }),
    );
    if (target.measurements !== undefined) {
      this.#live = new LiveCalls(target.measurements, color, bake.maxP95Ms);
      // What was called before the bake is not compared with anything.
      void this.#live.read(signal).catch(() => undefined);
    }
    const calls = {
      target,
      smoke,
      eras: erasOf(environment.server),
      clock,
      signal,
      callsPerSecond: bake.syntheticCallsPerSecond,
    };
    this.#synthetic = new SyntheticCalls({ ...calls, color });
    this.#control = new SyntheticCalls({ ...calls, color: other(color) });
    this.#readAt = clock.now();
    this.#liveReadAt = this.#readAt;
  }

  async check({ remainingSeconds = 0 }: GateContext): Promise<Verdict> {
    const since = this.#readAt;
    const reading = await this.#read();
    const shared: Span[] = [];
    for (let alarm = this.#alarm(); alarm !== undefined; alarm = this.#alarm()) {
      await this.#waitForControl(alarm.exceeded);
      const verdict = judged(alarm, this.#setAsideSpans);
      if (verdict.outcome !== "shared") {
        this.#report();
        return { outcome: "fail", final: true, evidence: whyAlone(alarm, verdict) };
      }
      this.#setAside(verdict);
      shared.push(verdict);
    }
    const quiet = shared.length > 0 ? undefined : this.#quietOutage();
    if (quiet !== undefined) {
      this.#setAside(quiet);
      shared.push(quiet);
    }

    this.#report();
    const missing = this.#missing();
    this.#pace(reading.calls / Math.max(0.001, (this.#readAt - since) / 1000), missing, remainingSeconds);
    this.#announce(reading);
    const evidence = [
      this.#inWords(),
      ...this.#otherBound(reading),
      ...(missing > 0 ? [`${missing} more calls needed to be sure`] : []),
    ];
    if (shared.length > 0)
      return { outcome: "inconclusive", evidence: [...evidence, ...shared.map(inOutage)].join("; ") };
    if (reading.unread.length > 0) {
      return { outcome: "inconclusive", evidence: [...evidence, ...reading.unread].join("; ") };
    }
    const { fault } = this.#synthetic;
    if (missing > 0 && fault !== undefined && reading.calls === 0) {
      return { outcome: "inconclusive", evidence: [...evidence, `no calls come: ${fault}`].join("; ") };
    }
    return { outcome: "pass", evidence: evidence.join("; "), needsMore: missing > 0 };
  }

  /** Counts what happened since the last time. Pods that cannot be read leave the synthetic calls to be judged. */
  async #read(): Promise<LiveReading> {
    const { clock, signal } = this.#context;
    const own = this.#synthetic.take();
    const { maxP95Ms } = this.#context.environment.release.bake;
    for (const { counted, ms } of own) {
      if (counted !== undefined) this.#live?.subtract({ ...counted, slow: ms > maxP95Ms });
    }
    const none = { calls: 0, failed: 0, slow: 0 };
    const reading = (await this.#live?.read(signal).catch((error: unknown): LiveReading => {
      signal.throwIfAborted();
      return { ...none, unread: [error instanceof Error ? error.message : String(error)] };
    })) ?? { ...none, unread: [] };
    const span = { since: this.#liveReadAt, until: clock.now() };
    this.#readAt = span.until;
    if (reading.unread.length === 0) this.#liveReadAt = span.until;
    // The synthetic ones first: they ended before the pods were read.
    for (const { source, objective, test, new: calls } of this.#tests.toReversed()) {
      const synthetic = () => own.map((call) => this.#asIncrement(call, objective));
      const bad = reading[objective.name];
      const live = bad === undefined ? [] : [{ ...span, calls: reading.calls, bad }];
      const increments = source === "live" ? live : synthetic();
      for (const increment of increments) test.add(increment);
      calls.push(...increments);
    }
    for (const call of this.#control.take()) {
      for (const { objective, old } of this.#comparisons) old.push(this.#asIncrement(call, objective));
    }
    return reading;
  }

  #asIncrement(call: SyntheticCall, { name }: Objective): Increment {
    const { since, until } = call;
    const { maxP95Ms } = this.#context.environment.release.bake;
    const bad = name === "failed" ? call.failed : !call.failed && call.ms > maxP95Ms;
    return { since, until, calls: 1, bad: bad ? 1 : 0 };
  }

  #alarm(): Alarm | undefined {
    for (const test of this.#tests) {
      const { exceeded } = test.test;
      if (exceeded !== undefined) return { ...test, exceeded };
    }
    return undefined;
  }

  #quietOutage(): Span | undefined {
    const now = this.#context.clock.now();
    for (const comparison of this.#comparisons) {
      const span = comparison.control.quietOutage(comparison.old, comparison.new, now);
      if (span !== undefined && !isAlwaysBad(comparison, span, this.#setAsideSpans)) return span;
    }
    return undefined;
  }

  /** An outage fails calls, and makes others slow. */
  #setAside(span: Span): void {
    const { from, to } = span;
    this.#setAsideSpans.push(span);
    for (const { test } of this.#tests) test.setAside(from, to);
  }

  /** The control has calls of the same time only after a while. */
  async #waitForControl({ until }: Exceeded): Promise<void> {
    const { clock, signal } = this.#context;
    const waitMs = until + CONTROL_WAIT_MS - clock.now();
    if (waitMs > 0) await clock.sleep(waitMs, signal);
    await this.#read();
  }

  /** Calls that are missing to rule out what the environment calls intolerable. Live and synthetic ones count together. */
  #missing(): number {
    const missing = this.#comparisons.map(({ objective: { name, enough } }) => {
      const counts = this.#tests.filter(({ objective }) => objective.name === name).map(({ test }) => test.counts);
      const sum = (of: "calls" | "bad") => counts.reduce((total, count) => total + count[of], 0);
      return enough.missing({ calls: sum("calls"), bad: sum("bad") });
    });
    return Math.max(...missing);
  }

  /** Spreads the calls that traffic will not bring in time over the rest of the bake. */
  #pace(livePerSecond: number, missing: number, remainingSeconds: number): void {
    const { syntheticCallsPerSecond, intervalSeconds } = this.#context.environment.release.bake;
    const seconds = Math.max(intervalSeconds, remainingSeconds);
    const wanted = Math.min(MOST_PER_SECOND, missing / seconds - livePerSecond);
    const rate = Math.max(syntheticCallsPerSecond, wanted);
    this.#synthetic.callsPerSecond = rate;
    this.#control.callsPerSecond = rate;
  }

  #announce({ calls }: LiveReading): void {
    const { listener, environment } = this.#context;
    if (this.#announced) return;
    this.#announced = true;
    const { maxErrorRatio, detect } = environment.release.bake;
    const message =
      `to rule out ${detect} × the limit (${percent(detect * maxErrorRatio)} failed) the bake needs ` +
      `${callsNeededInWords(this.#comparisons.map(({ objective }) => objective))}; ` +
      (this.#live === undefined
        ? "the server has no metrics (server.metrics): synthetic calls alone are judged"
        : `${calls} live calls in the first check`);
    listener({ type: "progress", message });
  }

  /** Where the server's histogram lacks the limit. */
  #otherBound({ slow, slowAboveMs }: LiveReading): readonly string[] {
    const { maxP95Ms } = this.#context.environment.release.bake;
    if (slow === undefined) {
      return [`the histogram has no bound up to ${maxP95Ms} ms: the speed of live calls is not judged`];
    }
    // Bounds are decimal fractions of a second.
    if (slowAboveMs === undefined || Math.abs(slowAboveMs - maxP95Ms) < 1e-6 * maxP95Ms) return [];
    const bound = Number(slowAboveMs.toPrecision(6));
    return [`live calls above ${bound} ms count as slow: the histogram's next bound below ${maxP95Ms} ms`];
  }

  #report(): void {
    const { listener } = this.#context;
    for (const { source, objective, test } of this.#tests) {
      const { counts, lower, upper, limit } = test.estimate;
      listener({ type: "evidence", source, objective: objective.name, ...counts, lower, upper, limit });
    }
  }

  #inWords(): string {
    const texts = SOURCES.flatMap((source) => {
      const kinds = this.#tests
        .filter((test) => test.source === source && test.test.counts.calls > 0)
        .map(({ objective, test }) => ({ name: objective.name, estimate: test.estimate }));
      return kinds.length === 0 ? [] : [callsInWords(source, kinds)];
    });
    return texts.length === 0 ? "no calls yet" : texts.join("; ");
  }
}

type Alarm = Test & { readonly exceeded: Exceeded };

/** Such as `57 of 490 live calls slow in the whole bake (8 to 16 %, limit 5 %); of the old color at that time 0 of 18`. */
function whyAlone({ source, objective, test, exceeded }: Alarm, control: ControlVerdict): string {
  const { counts } = control;
  const where = exceeded.test === "whole bake" ? "in the whole bake" : "of the recent calls";
  const bad = `${count(exceeded.counts.bad)} of ${count(exceeded.counts.calls)} ${source} calls ${objective.name} ${where}`;
  const old =
    control.outcome === "unknown"
      ? "the old color's calls do not show an outage of both: there are none, or they are always bad"
      : `of the old color's calls at that time ${counts.bad} of ${counts.calls}`;
  return `${bad} (${intervalInWords(test.estimate)}); ${old}`;
}

const inOutage = ({ from, to }: Span) =>
  `an outage of both colors, since the old one's calls were bad too: those of ${Math.round((to - from) / 1000)} s are set aside`;
