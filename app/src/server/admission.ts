/**
 * Calls that one turn may start beyond its time limit, and the milliseconds that they may take: a
 * new process compiles its code in its first calls.
 */
const FREE_CALLS = 20;
const FREE_TIME = 200;

/**
 * Sheds load before it queues: limits the processor time that one turn of the event loop spends on
 * new calls.
 *
 * All requests that have arrived are started in one turn, and none is answered before the last one
 * was started. So the length of the turn is the length of the queue, and the calls that are
 * rejected are those that would have waited longest. Other measures mislead:
 *
 * - The duration of calls depends on the tool.
 * - A sampled delay of the event loop makes a switch that oscillates.
 * - On the clock, a turn is also long if the operating system has stopped the process.
 */
export class Admission {
  readonly #maxTurn: number;
  /** Processor time in milliseconds at which this turn started its first call. */
  #startedAt: number | undefined;
  #started = 0;
  #rejected = 0;

  /** @param maxTurn - in milliseconds; 0 for no limit */
  constructor(maxTurn: number) {
    this.#maxTurn = maxTurn === 0 ? Infinity : maxTurn;
  }

  get rejected(): number {
    return this.#rejected;
  }

  /** Whether one more call may start in this turn of the event loop. */
  tryStart(): boolean {
    const now = processorTime();
    if (this.#startedAt === undefined) {
      this.#startedAt = now;
      this.#started = 0;
      // Runs after all requests that have arrived.
      setImmediate(() => (this.#startedAt = undefined));
    }
    const spent = now - this.#startedAt;
    if (spent >= this.#maxTurn && (this.#started >= FREE_CALLS || spent >= FREE_TIME)) {
      this.#rejected += 1;
      return false;
    }
    this.#started += 1;
    return true;
  }
}

/** Processor time of this thread in milliseconds. */
function processorTime(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
