/** What `inTime` resolves with in place of an answer. */
export const LATE = Symbol("late");

/**
 * An answer of Redis, if it comes in time. Milliseconds for which this process was busy do not count against Redis: time begins when the
 * question has left, at the end of this turn of the event loop, and what has arrived when it is over is still read.
 *
 * @param answer never rejects
 */
export function inTime<T>(answer: Promise<T>, milliseconds: number): Promise<T | typeof LATE> {
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const sent = setImmediate(() => {
      timer = setTimeout(() => {
        setImmediate(() => {
          resolve(LATE);
        });
      }, milliseconds);
    });
    void answer.then((value) => {
      clearImmediate(sent);
      clearTimeout(timer);
      resolve(value);
    });
  });
}
