/** The parts of the benchmark, in the order in which they run. */
export const PARTS = [
  "synth",
  "app",
  "resilience",
  "cluster",
  "cache",
  "server",
  "overload",
  "store",
  "rehearsal",
  "gates",
] as const;

export type Part = (typeof PARTS)[number];
