/** One figure, and the bar that it is held to, if it is not there for comparison only. */
export interface Measurement {
  readonly what: string;
  readonly value: number;
  readonly unit: "s" | "ms" | "µs" | "MB" | "B" | "calls" | "/s" | "×" | "%";
  readonly bar?: number;
  /** Whether the bar is the most or the least that is allowed. @default "most" */
  readonly allowed?: "most" | "least";
  /** Of how many runs the value is the median or, in percent, the part. */
  readonly runs: number;
}

export function holds({ value, bar, allowed = "most" }: Measurement): boolean {
  if (bar === undefined) return true;
  return allowed === "most" ? value <= bar : value >= bar;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** Runs something several times, one after the other. The first run, which finds every cache cold, is not counted. */
export async function repeat(runs: number, once: () => Promise<number>): Promise<number[]> {
  await once();
  const values: number[] = [];
  for (let run = 0; run < runs; run++) values.push(await once());
  return values;
}
