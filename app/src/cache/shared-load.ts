import type { Call, Work } from "../resilience/call.ts";
import { NarrowedCall, within } from "../resilience/deadline.ts";
import { Alarm } from "../resilience/time.ts";
import { inTime, LATE } from "./patience.ts";
import { LEASE } from "./scripts/look-up.ts";
import type { SharedTier } from "./shared-tier.ts";
import type { Look, News, SharedValue } from "./sharing.ts";

/** Milliseconds after which who has a lease says that it is still at work; a third of what the lease lasts. */
const FIRST_SIGN = 150;
const SIGN = 600;

/** Milliseconds after which who waits for another pod looks by itself, since a message can be lost. */
const POLL = 250;

/** Milliseconds that who waits for another pod gives Redis to say what has come of it. */
const FOLLOWER_PATIENCE = 50;

/** A value, and whether this pod has loaded it. */
interface Loaded<V> {
  readonly loaded: SharedValue<V>;
  readonly isOwn: boolean;
}

class Ring extends Alarm {
  readonly ring: () => void;

  constructor(ring: () => void) {
    super();
    this.ring = ring;
  }
}

/**
 * The load of one value as one of many pods: either another pod has the value, or loads it and this one waits, or this one
 * loads it, with a lease that keeps the others waiting.
 *
 * Redis decides nothing that this pod could not do without it. Without an answer in time it loads the value, and an answer that comes later is still
 * of use: the lease is taken, or the value.
 *
 * @see Kleppmann, "How to do distributed locking", for why the lease is checked again when the value is stored
 */
export class SharedLoad<V> {
  readonly #tier: SharedTier<V>;
  readonly #key: string;
  readonly #token: string;
  /** Another pod's value that arrives while this one is already loading it. */
  readonly #overtaking = Promise.withResolvers<Loaded<V>>();
  readonly #sign = new Ring(() => {
    this.#tier.renew(this.#key, this.#token);
    this.#tier.time.set(this.#sign, this.#tier.time.now() + SIGN);
  });
  readonly #deaf: () => void;
  #isLeading = false;
  #isFollowing = false;
  #isOver = false;
  #news: News | undefined;
  #hasFailed = false;
  #wake: () => void = () => undefined;

  constructor(tier: SharedTier<V>, key: string) {
    this.#tier = tier;
    this.#key = key;
    this.#token = tier.newToken();
    this.#deaf = tier.listen(key, (news) => {
      this.#news = news;
      if (news === "failed") this.#hasFailed = true;
      this.#wake();
    });
  }

  /**
   * The value, another pod's or this one's own. Say afterwards what became of it, with `store` or `giveUp`; when it fails, it has been given up.
   *
   * @param load is cancelled when another pod's value arrives first
   * @param older gets another pod's value that is not fresh, if there is one
   * @throws what `load` throws, and the call's reason when it is cancelled
   */
  async run(load: Work<SharedValue<V>>, outer: Call, older: (value: SharedValue<V>) => void): Promise<Loaded<V>> {
    const { time } = this.#tier;
    const call = new NarrowedCall(outer, Infinity, time);
    try {
      const theirs = await this.#find(call, older);
      if (theirs !== undefined) return { loaded: theirs, isOwn: false };
      const own = within(load, call, Infinity, time).then((loaded) => ({ loaded, isOwn: true }));
      const first = await Promise.race([own, this.#overtaking.promise]);
      if (!first.isOwn) call.cancel(new Error("another pod had the value already"));
      return first;
    } catch (error) {
      this.giveUp();
      throw error;
    } finally {
      call.end();
    }
  }

  /** The value is there: the others may have it, if this pod was the one to load it. */
  async store(value: SharedValue<V>): Promise<void> {
    this.#isOver = true;
    this.#deaf();
    if (this.#isLeading) await this.#tier.store(this.#key, value, this.#token);
    this.#tier.time.clear(this.#sign);
  }

  /** There will be no value from this pod. */
  giveUp(): void {
    this.#isOver = true;
    this.#deaf();
    this.#tier.time.clear(this.#sign);
    if (this.#isLeading) this.#tier.giveBack(this.#key, this.#token);
  }

  /** Another pod's value, if there is a fresh one, or will be one that is worth waiting for; else nothing, and this pod has to load it. */
  async #find(call: Call, older: (value: SharedValue<V>) => void): Promise<SharedValue<V> | undefined> {
    const { patience: usual, isOverdue } = this.#tier;
    for (
      let [patience, waits] = [usual, !isOverdue];
      ;
      [patience, waits] = [Math.max(usual, FOLLOWER_PATIENCE), true]
    ) {
      this.#news = undefined;
      const look = await this.#look(patience, waits);
      if (look === undefined) return undefined;
      const found = await this.#tier.read(look);
      if (found !== undefined && found.freshFor > 0) return found;
      if (found !== undefined) older(found);
      // After one pod has failed, all the others would fail one after the other: each finds out for itself.
      if (look.lease !== LEASE.held || this.#hasFailed) return undefined;
      if (!this.#isFollowing) this.#tier.counts.followed += 1;
      this.#isFollowing = true;
      const news = await this.#wait(call);
      if (news === "away" || call.cancelled) return undefined;
    }
  }

  /** What Redis says in time; nothing where that is not waited for. */
  async #look(patience: number, waits: boolean): Promise<Look | undefined> {
    const asked = this.#tier.lookUp(this.#key, this.#token);
    if (asked === undefined) return undefined;
    const soon = inTime(asked, patience).then((look) => {
      if (look === LATE) this.#tier.overdue(asked);
      return look;
    });
    const look = waits ? await soon : LATE;
    if (look === LATE) {
      void asked.then((late) => late && this.#heardLate(late));
      return undefined;
    }
    if (look?.lease === LEASE.granted) this.#lead();
    return look;
  }

  async #heardLate(look: Look): Promise<void> {
    if (look.lease === LEASE.granted) {
      if (this.#isOver) this.#tier.giveBack(this.#key, this.#token);
      else this.#lead();
      return;
    }
    if (this.#isOver) return;
    const found = await this.#tier.read(look);
    if (found !== undefined && found.freshFor > 0) this.#overtaking.resolve({ loaded: found, isOwn: false });
  }

  #lead(): void {
    this.#isLeading = true;
    this.#tier.time.set(this.#sign, this.#tier.time.now() + FIRST_SIGN);
  }

  /** Until there is news, or it is time to look again. */
  #wait(call: Call): Promise<News | undefined> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#tier.time.clear(alarm);
        call.offCancel(wake);
        this.#wake = () => undefined;
        resolve(this.#news);
      };
      const alarm = new Ring(wake);
      this.#wake = wake;
      this.#tier.time.set(alarm, this.#tier.time.now() + POLL);
      call.onCancel(wake);
      // It may have been told before it knew that it has to wait.
      if (this.#news !== undefined) wake();
    });
  }
}
