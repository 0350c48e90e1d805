import type { Environment } from "../environment/environment.ts";
import type { Act } from "./acts/act.ts";
import type { Skipped } from "./record/result.ts";
import type { Images } from "./versions/bundles.ts";
import type { WeatherStandIn } from "./weather/stand-in.ts";

/** The server that is rehearsed: the bundled app, or somebody's own. */
export interface Subject {
  /** Path of the environment file of the host and of every release command. */
  readonly file: string;
  readonly environment: Environment;
  readonly images: Images;
  readonly acts: readonly Act[];
  readonly skipped: readonly Skipped[];
  /** What to know of it before the first scenario, a sentence each. */
  readonly notes: readonly string[];
  readonly callsPerSecond: number;
  /** How many calls a full rehearsal makes at least. @default - as many as it makes */
  readonly leastCalls?: number;
  /** Whether the traffic makes the environment's smoke call, and not the bundled app's calls. */
  readonly isOwn: boolean;
  /** @default - it needs none */
  readonly weather?: WeatherStandIn;
}

export interface PrepareOptions {
  readonly quick: boolean;
  /** A folder of this rehearsal, for what the subject needs. */
  readonly home: string;
  /** Gets what ends with the rehearsal. */
  readonly started: AsyncDisposableStack;
  readonly signal: AbortSignal;
}
