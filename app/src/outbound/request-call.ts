import type { Call, Work } from "../resilience/call.ts";
import { DeadlineExceeded, NarrowedCall } from "../resilience/deadline.ts";
import { SYSTEM_TIME } from "../resilience/time.ts";

/** The client's timeout has passed: the reason of calls cancelled by `onBehalf`. */
export class CallerTimeout extends Error {}

/** Part of another call that decides itself whether its request may be repeated. */
class RequestCall extends NarrowedCall {
  readonly #repeatable: boolean;

  constructor(outer: Call, repeatable: boolean) {
    super(outer, Infinity, SYSTEM_TIME);
    this.#repeatable = repeatable;
  }

  override get repeatable(): boolean {
    return this.#repeatable;
  }
}

export interface RequestCallOptions {
  readonly repeatable: boolean;
  /** The client's timeout in milliseconds. @default - the time of the call */
  readonly within?: number | undefined;
}

/**
 * Makes a call with a timeout that the client has chosen.
 *
 * Such a timeout is not a deadline: a passed deadline counts as a failure of the dependency, so a
 * client with a timeout of one millisecond would open the breaker for all others. Policies inside
 * treat it as a client that has gone away.
 *
 * @throws DeadlineExceeded when the timeout has passed, and the error of the work
 */
export async function onBehalf<T>(work: Work<T>, outer: Call, options: RequestCallOptions): Promise<T> {
  const { repeatable, within = Infinity } = options;
  const call = new RequestCall(outer, repeatable);
  const timer = SYSTEM_TIME.at(SYSTEM_TIME.now() + within, () => {
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
