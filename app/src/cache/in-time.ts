/** Result of `inTime` without an answer. */
export const LATE = Symbol("late");

/**
 * Limits the time for an answer of Redis. Time in which this process was blocked does not count:
 * the limit starts when the command is sent, at the end of this turn of the event loop, and an
 * answer that has arrived by its end is still read.
 *
 * @param answer - never rejects
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
