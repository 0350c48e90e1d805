import type { ResultKind } from "./events.ts";

/** One exit code for each outcome that a pipeline must tell apart. */
export const EXIT_CODES: Record<ResultKind, number> = {
  done: 0,
  released: 0,
  aborted: 1,
  usage: 2,
  "rolled-back": 3,
  "paused-old-live": 4,
  "paused-new-live": 5,
  "lease-held": 6,
  "not-started": 7,
  "not-ready": 8,
  // EX_SOFTWARE of sysexits.h; 1, Node's own code for a crash, means `aborted` here.
  crash: 70,
};

export const EXIT_HELP = `Exit codes:
  0   done; for run: released, the new version is live and has passed its bake
  1   aborted before promote, the old version is live
  2   wrong usage, nothing was changed
  3   rolled back, the old version is live again
  4   paused with the old version live: 'release run' continues
  5   paused with the new version live, or possibly live: 'release run' continues, 'release rollback' moves back
  6   another command holds the lease, or has taken it over
  7   not started: the target did not answer or refused, and nothing was changed
  8   status --wait: a color did not get its pods ready in time
  70  a fault of this command itself`;
