/** What `inTime` resolves with in place of an answer. */
export const LATE = Symbol("late");

/**
 * An answer of Redis, if it comes in time. Milliseconds for which this process was busy do not count against Redis: what has arrived
 * by then is read first.
 *
 * @param answer never rejects
 */
export function inTime<T>(answer: Promise<T>, milliseconds: number): Promise<T | typeof LATE> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      setImmediate(() => {
        resolve(LATE);
      });
    }, milliseconds);
    void answer.then((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
