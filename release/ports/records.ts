import type { ReleaseRecord } from "../record.ts";
import type { Fence } from "./fence.ts";

/** Where the target keeps the record of a release, under the lease that guards it. */
export interface Records {
  /**
   * The release in progress, or the last one.
   *
   * @throws UsageError if the record cannot be read: a release over one that may be baking would lose its way back
   * @throws TargetUnreachable
   */
  read(signal?: AbortSignal): Promise<ReleaseRecord | undefined>;

  /** The last 20 releases that have ended, newest first. */
  history(signal?: AbortSignal): Promise<readonly ReleaseRecord[]>;

  /**
   * Who holds the lease, without waiting for it; none if it is free. In a cluster a holder that has died is named, too:
   * only time tells.
   */
  holder(signal?: AbortSignal): Promise<string | undefined>;

  /**
   * Takes the lease and fences every object that a release changes. Decide nothing on state that was read before.
   *
   * An abandoned lease is recognized by this process's own clock: its record has not changed for the lease's whole
   * duration since this process first read it.
   *
   * @throws LeaseHeld if its holder renews the lease while this process waits
   * @throws Displaced if another holder takes it before every object is fenced
   * @throws TargetUnreachable, TargetRefused
   */
  acquire(options: AcquireOptions): Promise<Authority>;
}

export interface AcquireOptions {
  /** Who takes it, for the message that another command shows. */
  readonly holder: string;
  /** Take it from another holder at once, who then changes nothing more. */
  readonly takeOver: boolean;
  readonly signal: AbortSignal;
  /** Called when the lease has a holder, with the seconds that this process waits for a renewal. */
  readonly waiting: (holder: string, seconds: number) => void;
}

/** The right to change an environment: the lease that is held, and the fence that it is written with. */
export interface Authority {
  readonly fence: Fence;

  /**
   * Aborts with `Displaced` if another holder has taken the lease. An outage does not abort it: a renewal that could not
   * be sent is not a lost lease.
   */
  readonly lost: AbortSignal;

  /** @throws Displaced, TargetUnreachable, TargetRefused */
  write(record: ReleaseRecord, signal?: AbortSignal): Promise<void>;

  /**
   * Gives the lease back. Never throws: a lease that could not be given back expires.
   *
   * @param signal when to give that up
   */
  release(signal?: AbortSignal): Promise<void>;
}
