import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { Breaker } from "../resilience/breaker.ts";
import type { BreakerRegistry } from "../resilience/breaker-registry.ts";
import { Emitter } from "../resilience/emitter.ts";
import { warnOfProgrammingError } from "../resilience/programming-error.ts";
import { SYSTEM_TIME, type Time } from "../resilience/time.ts";
import {
  onChange,
  sync,
  type BreakerReport,
  type Standing,
  type SyncReply,
  type SyncRequest,
} from "./breakers-protocol.ts";
import type { Redis } from "./redis.ts";
import { SharedBreaker, type Held } from "./shared-breaker.ts";
import { Ticker } from "./ticker.ts";

export interface SharedBreakersOptions {
  readonly redis: Redis;
  /**
   * Pods of one group decide together. Each color is a group: a version that fails on the idle
   * color must not open a breaker of the live one.
   */
  readonly group: string;
  /** All breakers, including future ones, are shared by name. */
  readonly breakers: BreakerRegistry;
  /** Milliseconds between two reports. */
  readonly interval: number;
  /** @default - the host's name and a random part */
  readonly pod?: string;
  readonly time?: Time;
}

export interface SharedBreakersStats {
  /** Breakers that the pods hold open together. */
  readonly open: number;
  /** The highest epoch that this pod has received. */
  readonly epoch: number;
  readonly reports: number;
  /** Reports that failed. */
  readonly failed: number;
}

/** The state of a breaker that this pod received last, whether or not it has this breaker. */
type Known = ({ readonly isOpen: true } & Held) | { readonly isOpen: false; readonly epoch: number };

/**
 * Lets pods decide together about their breakers: sends votes and receives decisions.
 * docs/shared-state.md describes the protocol.
 *
 * A breaker trips because of Redis in two steps: sync-breakers.lua finds a quorum, and
 * `SharedBreaker.follow` holds this pod's breaker open.
 *
 * Calls never wait for Redis: each breaker decides synchronously, by this pod's state. While Redis
 * fails, every breaker continues by its own rules; the first successful report shares the state
 * again.
 */
export class SharedBreakers {
  readonly #options: SharedBreakersOptions;
  readonly #time: Time;
  readonly #shared = new Map<string, SharedBreaker>();
  /** Open breakers, and those that have closed since this pod's last list. */
  readonly #known = new Map<string, Known>();
  readonly #ends: (() => void)[];
  readonly #ticker: Ticker;
  readonly pod: string;
  readonly group: string;
  /** A higher epoch: pods have decided something. */
  readonly changes = new Emitter<number>();
  #reports = 0;
  #failed = 0;
  /** Epoch of the last list. */
  #seen = 0;
  #highest = 0;
  #isShared = false;
  #isLeaving = false;
  #isScheduled = false;
  #isReporting = false;
  #again = false;

  constructor(options: SharedBreakersOptions) {
    const { redis, group, breakers, interval, pod = `${hostname()}-${randomBytes(4).toString("hex")}` } = options;
    const time = options.time ?? SYSTEM_TIME;
    this.#options = options;
    this.#time = time;
    this.pod = pod;
    this.group = group;
    this.#ends = [
      breakers.onEach((breaker) => {
        this.#share(breaker);
      }),
      onChange(redis, group, (standing) => {
        if (this.#isShared) this.#receive(standing);
      }),
      redis.events.on(({ type }) => {
        if (type === "up") this.reportSoon();
        else this.#letGo();
      }),
    ];
    this.#ticker = new Ticker(time, interval, () => {
      this.#tick();
    });
    this.reportSoon();
  }

  get isShared(): boolean {
    return this.#isShared;
  }

  get stats(): SharedBreakersStats {
    const open = [...this.#known.values()].filter(({ isOpen }) => isOpen).length;
    return { open, epoch: this.#highest, reports: this.#reports, failed: this.#failed };
  }

  /** Whether the pods hold this breaker open, as far as this pod has received it. */
  holdsOpen(name: string): boolean {
    return this.#known.get(name)?.isOpen === true;
  }

  reportSoon(): void {
    if (this.#isScheduled || this.#isLeaving || !this.#options.redis.available) return;
    this.#isScheduled = true;
    // One report for all events of one turn.
    setImmediate(() => {
      this.#isScheduled = false;
      void this.#report();
    });
  }

  /** Returns this pod's leases and continues by each breaker's own rules. Never rejects. */
  async close(): Promise<void> {
    this.#isLeaving = true;
    this.#ticker.stop();
    for (const end of this.#ends) end();
    for (const shared of this.#shared.values()) shared.leave();
    if (this.#isShared) await this.#exchange().catch(() => undefined);
    for (const shared of this.#shared.values()) shared.close();
  }

  #share(breaker: Breaker): void {
    this.#shared.get(breaker.name)?.close();
    this.#shared.delete(breaker.name);
    if (breaker.options.local === true) return;
    const shared = new SharedBreaker(breaker, {
      name: this.pod,
      time: this.#time,
      interval: this.#options.interval,
      reportSoon: () => {
        this.reportSoon();
      },
    });
    this.#shared.set(breaker.name, shared);
    const known = this.#known.get(breaker.name);
    if (this.#isShared && known?.isOpen === true) shared.follow(known);
  }

  #tick(): void {
    for (const [name, shared] of this.#shared) {
      if (this.#options.breakers.get(name) === shared.breaker) shared.intervalPassed();
      else {
        shared.close();
        this.#shared.delete(name);
      }
    }
    if (this.#options.redis.available) void this.#report();
  }

  /** One report at a time: later events are in the next one. */
  async #report(): Promise<void> {
    this.#again = true;
    if (this.#isReporting) return;
    this.#isReporting = true;
    try {
      while (this.#again && !this.#isLeaving) {
        this.#again = false;
        await this.#exchange();
      }
    } catch (error) {
      // Redis is down or rejects the report: out of memory, a replica, no permission.
      warnOfProgrammingError(error);
      this.#failed += 1;
      this.#letGo();
    }
    this.#isReporting = false;
  }

  async #exchange(isRestoring = false): Promise<void> {
    const { redis, group, interval } = this.#options;
    const reports = new Map<string, BreakerReport>();
    for (const [name, shared] of this.#shared) {
      const report = shared.report();
      if (report !== undefined) reports.set(name, report);
    }
    const askedAt = this.#time.now();
    this.#reports += 1;
    const reply = await sync(redis, group, {
      pod: this.pod,
      interval,
      seen: this.#seen,
      highest: this.#highest,
      all: !this.#isShared,
      leaving: this.#isLeaving,
      breakers: [...reports.values()],
      ...(isRestoring && { known: this.#standings() }),
    });
    if (reply.isLost) {
      if (!isRestoring) await this.#exchange(true);
      return;
    }
    for (const [name, report] of reports) this.#shared.get(name)?.acknowledged(report);
    if (this.#isLeaving || !redis.available) return;
    // Redis was down while the reply was in flight: only the whole list shares the state again.
    if (!this.#isShared && reply.open === undefined) this.#again = true;
    else this.#isShared = true;
    this.#learn(reply);
    for (const answer of reply.answers) {
      const report = reports.get(answer.breaker);
      if (report !== undefined) this.#shared.get(answer.breaker)?.answered(answer, report, askedAt);
    }
  }

  /** Applies the list of all open breakers, except where this pod has something newer. */
  #learn({ epoch, open }: SyncReply): void {
    this.#raise(epoch);
    if (open === undefined) return;
    this.#seen = epoch;
    const listed = new Set(open.map(({ name }) => name));
    for (const [name, known] of this.#known) {
      if (listed.has(name) || known.epoch > epoch) continue;
      this.#known.delete(name);
      this.#shared.get(name)?.follow(undefined);
    }
    for (const standing of open) this.#take(standing);
  }

  /** Applies a published change, unless it is older than this pod's state. */
  #receive(standing: Standing): void {
    const { name, epoch } = standing;
    if (epoch <= Math.max(this.#seen, this.#known.get(name)?.epoch ?? 0)) return;
    this.#raise(epoch);
    this.#take(standing);
  }

  #take(standing: Standing): void {
    const { name, epoch } = standing;
    if (epoch < (this.#known.get(name)?.epoch ?? 0)) return;
    if (!standing.open) {
      this.#known.set(name, { isOpen: false, epoch });
      this.#shared.get(name)?.follow(undefined);
      return;
    }
    const { forced, remaining, openings } = standing;
    const held = { isOpen: true, epoch, openings, due: forced ? Infinity : this.#time.now() + remaining } as const;
    this.#known.set(name, held);
    this.#shared.get(name)?.follow(held);
  }

  /** All standings of this pod, for a Redis that has lost them. */
  #standings(): NonNullable<SyncRequest["known"]> {
    const now = this.#time.now();
    return Array.from(this.#known, ([name, known]) => {
      const { recoveryTimeout = 0, timeout = recoveryTimeout } = this.#shared.get(name)?.breaker.options ?? {};
      if (!known.isOpen) return { name, epoch: known.epoch, open: false, timeout };
      const { epoch, due, openings } = known;
      const forced = due === Infinity;
      return { name, epoch, open: true, remaining: forced ? 0 : Math.max(0, due - now), forced, openings, timeout };
    });
  }

  #raise(epoch: number): void {
    if (epoch <= this.#highest) return;
    this.#highest = epoch;
    this.changes.emit(epoch);
  }

  #letGo(): void {
    if (!this.#isShared) return;
    this.#isShared = false;
    for (const shared of this.#shared.values()) shared.letGo();
  }
}
