/** Parts that a window is made of, and moves on by. */
export const PARTS = 10;

/**
 * Counts calls and failures of the last so many milliseconds, in ten parts: what it forgets, it forgets a tenth at a time. Adding costs
 * the same however many calls there are, and however long there was none.
 */
export class SlidingWindow {
  calls = 0;
  failures = 0;
  readonly #partLength: number;
  /** Calls and failures by part; made when there is something to count. */
  #parts: number[] | undefined;
  #part = 0;

  constructor(milliseconds: number) {
    this.#partLength = milliseconds / PARTS;
  }

  add(failed: boolean, now: number): void {
    this.moveTo(now);
    const parts = (this.#parts ??= new Array<number>(2 * PARTS).fill(0));
    const index = 2 * (this.#part % PARTS);
    this.calls += 1;
    parts[index] = (parts[index] ?? 0) + 1;
    if (!failed) return;
    this.failures += 1;
    parts[index + 1] = (parts[index + 1] ?? 0) + 1;
  }

  /** Forgets what is too long ago. Says whether a new part has begun. */
  moveTo(now: number): boolean {
    const part = Math.floor(now / this.#partLength);
    if (part === this.#part) return false;
    const parts = this.#parts;
    if (parts !== undefined) {
      const oldest = Math.max(this.#part + 1, part - PARTS + 1);
      for (let gone = oldest; gone <= part; gone += 1) {
        const index = 2 * (gone % PARTS);
        this.calls -= parts[index] ?? 0;
        this.failures -= parts[index + 1] ?? 0;
        parts[index] = 0;
        parts[index + 1] = 0;
      }
    }
    this.#part = part;
    return true;
  }

  clear(): void {
    this.calls = 0;
    this.failures = 0;
    this.#parts = undefined;
  }
}
