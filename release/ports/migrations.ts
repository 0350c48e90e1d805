import type { Fence } from "./fence.ts";
import type { Stage } from "./staging.ts";

/** How the migration of a release ended. */
export interface MigrationResult {
  readonly outcome: "pass" | "fail";
  /** Why it failed, in one line; nothing for a pass. */
  readonly reason: string;
}

/**
 * Runs the environment's migration with the candidate's image, once for each mark and before the candidate is staged.
 *
 * It has two steps, and the record of the release is written between them. A run that was created and is gone has run; a run
 * that was never created has not. And a command that lost its lease cannot write the record, so it never starts a run.
 */
export interface Migrations {
  /**
   * Creates the run of a mark, which does not start yet. Does nothing but to fence it if it exists.
   *
   * @throws Displaced if a later holder has fenced the run
   * @throws UsageError, TargetUnreachable, TargetRefused, StateChanged as `Staging.stage`
   */
  create(stage: Stage, fence: Fence, signal: AbortSignal): Promise<void>;

  /**
   * Starts the run of a mark, unless it has started, and waits until it has ended. A run that takes longer than the
   * environment's timeout is ended, and has failed. An abort leaves the run as it is: the next command finds it.
   *
   * @param progress receives what it waits for, and the last lines of a failed run's log
   * @throws the signal's reason, and what `create` throws
   */
  run(stage: Stage, fence: Fence, signal: AbortSignal, progress: (message: string) => void): Promise<MigrationResult>;
}
