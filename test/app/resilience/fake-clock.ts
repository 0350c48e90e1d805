import { Time, type Clock } from "../../../app/src/resilience/time.ts";

interface Due {
  at: number;
  readonly callback: () => void;
}

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  #now = 1_000_000;
  readonly #due = new Set<Due>();
  looks: () => void = () => undefined;

  now(): number {
    return this.#now;
  }

  /** Timers that are set. */
  get timers(): number {
    return this.#due.size;
  }

  wake(callback: () => void, milliseconds: number): { close(): unknown } {
    const due = { at: this.#now + milliseconds, callback };
    this.#due.add(due);
    return { close: () => this.#due.delete(due) };
  }

  /** Lets time pass at once, with what falls due on the way, but gives promises no chance to react. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) this.#ring(next);
    this.#now = end;
  }

  /** Lets time pass, and whatever waits for a promise react each time that something falls due. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    await settled();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#ring(next);
      await settled();
    }
    this.#now = end;
    await settled();
  }

  /** Moves the clock without time passing: timers neither come nearer nor ring. Someone looks at it before and after. */
  jump(milliseconds: number): void {
    this.looks();
    this.#now += milliseconds;
    for (const due of this.#due) due.at += milliseconds;
    this.looks();
  }

  #next(end: number): Due | undefined {
    let next: Due | undefined;
    for (const due of this.#due) if (due.at <= end && (next === undefined || due.at < next.at)) next = due;
    return next;
  }

  #ring(due: Due): void {
    this.#due.delete(due);
    this.#now = Math.max(this.#now, due.at);
    due.callback();
  }
}

export function fakeTime(): { clock: FakeClock; time: Time } {
  const clock = new FakeClock();
  const time = new Time(clock);
  clock.looks = () => void time.now();
  return { clock, time };
}

/** Resolves when every promise that can react has. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
