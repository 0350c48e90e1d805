import type { Color } from "../../../environment/color.ts";
import type { Authority } from "../../../release/ports/records.ts";
import type { Target } from "../../../release/ports/target.ts";
import { releaseRecordSchema, type ReleaseRecord } from "../../../release/record.ts";

/** A deployed environment with two pods of each color and blue live, in which one contract test runs. */
export interface World {
  /** An artifact that can be staged. */
  readonly image: string;

  /** A target as one process has it. Each call stands for another process. */
  open(): Target;

  /** Lets time pass for every process, and everything that waits react. */
  pass(ms: number): Promise<void>;

  /** Lets the pods become what they are set to be. */
  settle(): Promise<void> | void;

  /** A person moves the traffic, without the lease. */
  moveByOperator(to: Color): Promise<void> | void;

  /** The process behind a target is killed: nothing of it is sent any more. */
  kill(target: Target): void;

  close(): Promise<void>;
}

export type OpenWorld = () => Promise<World> | World;

export const acquire = (target: Target, holder = "first", takeOver = false): Promise<Authority> =>
  target.records.acquire({
    holder,
    takeOver,
    signal: new AbortController().signal,
    waiting: () => undefined,
  });

let releases = 0;

/** The record of a release from blue to green that began after every earlier one. */
export function aRecord(changes: Partial<ReleaseRecord> = {}): ReleaseRecord {
  releases += 1;
  const startedAt = new Date(Date.UTC(2026, 0, 1) + releases * 1000).toISOString();
  const release = {
    id: `release-${releases}`,
    image: "app:2",
    version: "2",
    from: "blue",
    to: "green",
    phase: "stage",
  };
  return releaseRecordSchema.parse({ ...release, startedAt, ...changes });
}
