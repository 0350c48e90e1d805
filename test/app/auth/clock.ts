import { jest } from "@jest/globals";

/** Everything but the clock: what waits goes on waiting in real time. */
const REAL = [
  "hrtime",
  "nextTick",
  "performance",
  "queueMicrotask",
  "setImmediate",
  "clearImmediate",
  "setInterval",
  "clearInterval",
  "setTimeout",
  "clearTimeout",
] as const;

/** Moves this process's clock on, and stops it there until `jest.useRealTimers()`. */
export function later(milliseconds: number): void {
  jest.useFakeTimers({ now: Date.now() + milliseconds, doNotFake: [...REAL] });
}
