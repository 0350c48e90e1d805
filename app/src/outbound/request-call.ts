import type { Call, Work } from "../resilience/call.ts";
import { DeadlineExceeded, NarrowedCall } from "../resilience/deadline.ts";
import { SYSTEM_TIME, type Time } from "../resilience/time.ts";

/** The time that the caller gave is over: why calls inside `onBehalf` are cancelled then. */
export class CallerTimeout extends Error {}

/** A call on behalf of another, which alone knows whether its request may be sent twice. */
class RequestCall extends NarrowedCall {
  readonly #repeatable: boolean;

  constructor(outer: Call, repeatable: boolean, time: Time) {
    super(outer, Infinity, time);
    this.#repeatable = repeatable;
  }

  override get repeatable(): boolean {
    return this.#repeatable;
  }
}

export interface RequestCallOptions {
  readonly repeatable: boolean;
  /** Milliseconds that the caller is willing to wait. @default - as long as the call lasts */
  readonly within?: number | undefined;
  /** @default SYSTEM_TIME */
  readonly time?: Time;
}

/**
 * Makes a call for work that a client asked for in its own terms.
 *
 * The timeout of a client is no deadline: a passed deadline counts as a failure of the dependency, and a
 * client that requests an answer within a millisecond would open the breaker for all others. To the
 * policies inside, the client has gone away.
 *
 * @throws DeadlineExceeded when the timeout is over, and whatever the work throws
 */
export async function onBehalf<T>(work: Work<T>, outer: Call, options: RequestCallOptions): Promise<T> {
  const { repeatable, within = Infinity, time = SYSTEM_TIME } = options;
  const call = new RequestCall(outer, repeatable, time);
  const timer = time.at(time.now() + within, () => {
    call.cancel(new CallerTimeout());
  });
  try {
    return await work(call);
  } catch (error) {
    throw error instanceof CallerTimeout ? new DeadlineExceeded(within) : error;
  } finally {
    timer.clear();
    call.end();
  }
}
