import type { BreakerState, Billing } from "../record/recording.ts";
import type { ReleaseRun } from "../record/result.ts";
import type { Calls } from "../record/tally.ts";
import type { Mood } from "../weather/mood.ts";
import type { VersionName } from "../versions/bundles.ts";

/** What an act can do and see. Traffic is under way before it begins and goes on after it. */
export interface Stage {
  readonly quick: boolean;
  /** Releases a version with the command that people use. */
  release(version: VersionName): Promise<ReleaseRun>;
  weatherBecomes(mood: Mood): void;
  /** The breaker around the weather API, for each pod of the live color, as of the last look. */
  breakers(): readonly BreakerState[];
  /** Calls of this rehearsal so far. */
  calls(): number;
  /** Lets time pass; traffic goes on. */
  linger(seconds: number): Promise<void>;
  /** Waits until something holds; says whether it came to hold in time. */
  until(holds: () => boolean, timeoutSeconds: number): Promise<boolean>;
}

export interface Played {
  /** How it ended, in a few words. */
  readonly outcome: string;
  /** What was not as it must be, a sentence each. */
  readonly problems: readonly string[];
  readonly release?: ReleaseRun;
}

export interface Act extends Billing {
  play(stage: Stage): Promise<Played>;
  /** What must be true of the calls of this act, besides that none failed: a sentence for each thing that is not. */
  check?(calls: Calls): string[];
}
