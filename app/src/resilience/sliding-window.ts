/** Parts of a window; it moves by one part at a time. */
export const PARTS = 10;

/**
 * Counts calls and failures of the last milliseconds, in ten parts. Adding a call takes the same
 * time after any pause and with any number of calls.
 */
export class SlidingWindow {
  calls = 0;
  failures = 0;
  readonly #partLength: number;
  /** Calls and failures of each part; made with the first call. */
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

  /** Forgets parts that are too old. Returns whether a new part has begun. */
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
