/** Time as a release sees it. Tests replace it, so that a bake of minutes takes none. */
export interface Clock {
  /** Milliseconds on a clock that never goes backwards. Its zero means nothing. */
  now(): number;

  /** The time of day, for records and messages; no decision depends on it. */
  date(): Date;

  /** @throws the signal's reason when it aborts first */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
