/** The candidate that a misspelt text most probably means; none if none is near. */
export function nearestOf(text: string, candidates: readonly string[]): string | undefined {
  const [nearest, away] = candidates
    .map((candidate) => [candidate, distance(text.toLowerCase(), candidate.toLowerCase())] as const)
    .reduce((best, next) => (next[1] < best[1] ? next : best), ["", Infinity]);
  return away <= Math.max(1, Math.floor(Math.min(text.length, nearest.length) / 3)) ? nearest : undefined;
}

/** Characters to insert, remove or replace. @see https://en.wikipedia.org/wiki/Levenshtein_distance */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [index, character] of Array.from(a).entries()) {
    const next = [index + 1];
    for (const [column, other] of Array.from(b).entries()) {
      const replaced = (row[column] ?? 0) + (character === other ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
