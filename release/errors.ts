import type { Color } from "../environment/color.ts";

/**
 * The target did not answer, or answered that the request must be tried later. A write that ends with this may have taken
 * effect or not.
 */
export class TargetUnreachable extends Error {
  override readonly name = "TargetUnreachable";
  /** Delay before the next request that the target asked for, if any. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    { retryAfterMs, cause }: { readonly retryAfterMs?: number; readonly cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.retryAfterMs = retryAfterMs;
  }
}

export type RefusalKind =
  /** An admission policy denied it. */
  | "policy"
  /** The API does not accept a value. */
  | "invalid"
  /** The identity lacks a right. */
  | "forbidden"
  /** A quota is used up. */
  | "quota";

/** The target understood the request and will not do it, however often it is repeated. A person must change something first. */
export class TargetRefused extends Error {
  override readonly name = "TargetRefused";
  readonly kind: RefusalKind;

  constructor(kind: RefusalKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** Another holder has taken the lease: this release changes nothing more. */
export class Displaced extends Error {
  override readonly name = "Displaced";
}

/** An object is not as it was read. Read again before the next decision. */
export class StateChanged extends Error {
  override readonly name = "StateChanged";
}

export class TrafficMoved extends Error {
  override readonly name = "TrafficMoved";

  constructor(expected: Color, found: Color) {
    super(`'${expected}' should be live, but '${found}' is: another person or command moved the traffic`);
  }
}

export class LeaseHeld extends Error {
  override readonly name = "LeaseHeld";

  constructor(holder: string) {
    super(
      `another release is running, started by ${holder}; wait until it ends, ` +
        "or take over with 'release rollback --take-over' to move the traffic back at once",
    );
  }
}

/** The command cannot be carried out as given. The message says what to do instead. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
