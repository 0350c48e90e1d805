import { safely } from "./emitter.ts";

/** Where time comes from. Tests bring their own. */
export interface Clock {
  /** Milliseconds since any fixed point. */
  now(): number;
  /** Calls back once, after so many milliseconds. */
  wake(callback: () => void, milliseconds: number): Wakeup;
}

/** A callback that is due. Only while it is held (`ref`) does it keep the process alive. */
export interface Wakeup {
  ref(): unknown;
  unref(): unknown;
  cancel(): void;
}

/** Something that can be told when its time has come. It stands in one place of the wheel at most. */
export abstract class Alarm {
  /** The wheel's own: where in the list of its slot it stands, and in which tick it is due. */
  previous: Alarm | undefined = undefined;
  next: Alarm | undefined = undefined;
  tick = NOT_SET;

  abstract ring(): void;
}

/** Milliseconds to which alarms are rounded up. */
const TICK = 4;
const SLOTS = 512;
const NOT_SET = -1;

/**
 * Time that never runs backwards, and every timeout of the process on one timer.
 *
 * A call sets and clears its alarm in a fraction of a microsecond, since nearly every alarm is cleared before it rings: each is a
 * link in the list of its slot, and nothing is sorted. The one real timer is set for the first slot that holds something, and is not moved
 * when that alarm is cleared.
 *
 * A clock that jumps back is taken to have stood still since it was last read. One that jumps ahead makes what was due in between
 * ring within two seconds.
 *
 * @see Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", 1987, scheme 6
 */
export class Time {
  readonly #clock: Clock;
  readonly #slots: (Alarm | undefined)[] = new Array<Alarm | undefined>(SLOTS).fill(undefined);
  #lastSeen: number;
  #offset = 0;
  #alarms = 0;
  /** The last tick whose slot was looked at. */
  #tick: number;
  #wakeup: Wakeup | undefined;
  #wakeTick = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastSeen = clock.now();
    this.#tick = Math.floor(this.#lastSeen / TICK);
  }

  /** Milliseconds that never run backwards. */
  now(): number {
    const seen = this.#clock.now();
    if (seen < this.#lastSeen) this.#offset += this.#lastSeen - seen;
    this.#lastSeen = seen;
    return seen + this.#offset;
  }

  /** How many alarms are set. */
  get alarms(): number {
    return this.#alarms;
  }

  /** Rings once, at the given time or up to 4 ms later; never for Infinity. */
  set(alarm: Alarm, at: number): void {
    if (alarm.tick !== NOT_SET) this.clear(alarm);
    if (at === Infinity) return;
    const tick = Math.max(Math.ceil(at / TICK), this.#tick + 1);
    const slot = tick % SLOTS;
    const head = this.#slots[slot];
    alarm.tick = tick;
    alarm.previous = undefined;
    alarm.next = head;
    if (head !== undefined) head.previous = alarm;
    this.#slots[slot] = alarm;
    this.#alarms += 1;
    if (tick < this.#wakeTick) this.#wakeAt(tick, this.now());
    else if (this.#alarms === 1) this.#wakeup?.ref();
  }

  /** Does nothing to an alarm that has rung or was never set. */
  clear(alarm: Alarm): void {
    if (alarm.tick === NOT_SET) return;
    this.#unlink(alarm);
    if (this.#alarms === 0) this.#wakeup?.unref();
  }

  #unlink(alarm: Alarm): void {
    if (alarm.previous === undefined) this.#slots[alarm.tick % SLOTS] = alarm.next;
    else alarm.previous.next = alarm.next;
    if (alarm.next !== undefined) alarm.next.previous = alarm.previous;
    alarm.previous = undefined;
    alarm.next = undefined;
    alarm.tick = NOT_SET;
    this.#alarms -= 1;
  }

  /** At the latest when the wheel has gone round once, since a clock that has jumped ahead is only found out by looking. */
  #wakeAt(tick: number, now: number): void {
    this.#wakeup?.cancel();
    this.#wakeTick = Math.min(tick, Math.floor(now / TICK) + SLOTS);
    this.#wakeup = this.#clock.wake(this.#turn, this.#wakeTick * TICK - now);
  }

  readonly #turn = (): void => {
    this.#wakeup = undefined;
    this.#wakeTick = Infinity;
    const now = this.now();
    const tick = Math.floor(now / TICK);
    // After a long sleep or a jump, one turn of the wheel sees every alarm.
    const slots = Math.min(tick - this.#tick, SLOTS);
    const due: Alarm[] = [];
    for (let back = slots - 1; back >= 0; back -= 1) {
      for (let alarm = this.#slots[(tick - back) % SLOTS]; alarm !== undefined; alarm = alarm.next)
        if (alarm.tick <= tick) due.push(alarm);
    }
    this.#tick = Math.max(tick, this.#tick);
    // One that rings may clear or set others, so no list is walked meanwhile.
    due.sort((one, other) => one.tick - other.tick);
    for (const alarm of due) {
      if (alarm.tick === NOT_SET || alarm.tick > tick) continue;
      this.#unlink(alarm);
      safely(() => {
        alarm.ring();
      });
    }
    if (this.#alarms > 0) this.#wakeAtNextSlot(now);
  };

  #wakeAtNextSlot(now: number): void {
    for (let ahead = 1; ahead <= SLOTS; ahead += 1) {
      const tick = this.#tick + ahead;
      if (tick >= this.#wakeTick) return;
      if (this.#slots[tick % SLOTS] !== undefined) {
        this.#wakeAt(tick, now);
        return;
      }
    }
  }
}

/** The time of this process, which everything uses that is not given another. */
export const SYSTEM_TIME = new Time({
  now: () => performance.now(),
  wake(callback, milliseconds) {
    const timer = setTimeout(callback, Math.max(0, milliseconds));
    return {
      ref: () => timer.ref(),
      unref: () => timer.unref(),
      cancel: () => {
        clearTimeout(timer);
      },
    };
  },
});
