import type { Counts } from "./counts.ts";

/** Calls of one span of time, in milliseconds of any clock that only goes forward. */
export interface Increment extends Counts {
  readonly since: number;
  readonly until: number;
}

/** A span of time, in milliseconds of the increments' clock. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Whether they share more than a point in time. An increment without length overlaps the span that it lies in. */
export function overlaps({ since, until }: Pick<Increment, "since" | "until">, { from, to }: Span): boolean {
  return since === until ? from <= since && since <= to : since < to && from < until;
}

/** Adds a span to others. Those that it touches become one with it. */
export function union(spans: readonly Span[], span: Span): Span[] {
  const touches = ({ from, to }: Span) => from <= span.to && span.from <= to;
  const parts = [...spans.filter(touches), span];
  const from = Math.min(...parts.map((part) => part.from));
  const to = Math.max(...parts.map((part) => part.to));
  return [...spans.filter((other) => !touches(other)), { from, to }];
}
