/** What `isLate` resolves with. */
export const LATE = Symbol("late");

/**
 * When an answer of Redis is late. Milliseconds for which this process was busy do not count against Redis: what has arrived by then is
 * read first.
 */
export function isLate(milliseconds: number): Promise<typeof LATE> {
  return new Promise((resolve) => {
    setTimeout(() => {
      setImmediate(() => {
        resolve(LATE);
      });
    }, milliseconds);
  });
}
