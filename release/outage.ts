import { StateChanged, TargetRefused, TargetUnreachable, TrafficMoved } from "./errors.ts";
import type { Listener } from "./events.ts";
import type { Clock } from "./ports/clock.ts";

export interface OutageOptions {
  readonly clock: Clock;
  readonly listener: Listener;
  /** How long to go on trying. */
  readonly timeoutSeconds: number;
}

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 5000;
/** Upper bound for the delay that a target requests: live traffic may be unmonitored during it. */
export const LONGEST_WANTED_DELAY_MS = 30_000;

/**
 * Decides how long a release goes on trying when its target gives no usable answer.
 *
 * An outage must not end a release: it would leave live traffic unmonitored, or on a color that fails.
 */
export class Outage {
  readonly #options: OutageOptions;
  #since: number | undefined;
  #tries = 0;

  constructor(options: OutageOptions) {
    this.#options = options;
  }

  over(): void {
    this.#since = undefined;
    this.#tries = 0;
  }

  /**
   * Waits before the next try, with exponential backoff and jitter, or for as long as the target says.
   *
   * @returns why to stop trying, if so
   * @throws the error if trying again cannot help and the error is not the target's: a fault, or a mistake of the user
   * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
   */
  async wait(error: unknown, signal: AbortSignal): Promise<string | undefined> {
    const { clock, listener, timeoutSeconds } = this.#options;
    if (error instanceof TargetRefused) return error.message;
    const worthRepeating = [TargetUnreachable, StateChanged, TrafficMoved].some((kind) => error instanceof kind);
    if (!worthRepeating || !(error instanceof Error)) throw error;

    this.#since ??= clock.now();
    const seconds = (clock.now() - this.#since) / 1000;
    if (seconds > timeoutSeconds) return `${error.message} (for ${Math.round(seconds)} s)`;
    listener({ type: "progress", message: `paused, trying again: ${error.message}` });
    const delayMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#tries++);
    const { retryAfterMs = 0 } = error instanceof TargetUnreachable ? error : {};
    const wantedMs = Math.min(retryAfterMs, LONGEST_WANTED_DELAY_MS);
    await clock.sleep(Math.max(wantedMs, delayMs * (0.5 + Math.random() / 2)), signal);
    return undefined;
  }
}
