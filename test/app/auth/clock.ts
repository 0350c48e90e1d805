import { jest } from "@jest/globals";

/** What goes on in real time: all that waits for an answer. */
const REAL = [
  "hrtime",
  "nextTick",
  "performance",
  "queueMicrotask",
  "setImmediate",
  "clearImmediate",
  "setTimeout",
  "clearTimeout",
] as const;

/** Stops this process's clock, and with it what is done at intervals, until `jest.useRealTimers()`. */
export function stopClock(): void {
  jest.useFakeTimers({ doNotFake: [...REAL] });
}

/** Moves the clock on, and does what is due by then. */
export function later(milliseconds: number): void {
  jest.advanceTimersByTime(milliseconds);
}

/** Moves the clock on as if nothing had been done meanwhile. */
export function muchLater(milliseconds: number): void {
  jest.setSystemTime(Date.now() + milliseconds);
}
