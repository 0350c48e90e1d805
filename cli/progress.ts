import type { Output } from "./options.ts";

const QUIET_MS = 2000;
const REPEAT_MS = 10_000;

/**
 * Waits for work, and says on standard error that it goes on if it takes more than two seconds. Programs, which read
 * JSON, get nothing.
 *
 * @param what such as `reading the target`
 */
export async function withProgress<T>(what: string, output: Output, work: Promise<T>): Promise<T> {
  if (output === "json") return await work;
  const start = performance.now();
  let timer = setTimeout(say, QUIET_MS);
  function say() {
    process.stderr.write(`${what} (${Math.round((performance.now() - start) / 1000)} s)\n`);
    timer = setTimeout(say, REPEAT_MS);
  }
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}
