import type { FromPods } from "../ports/probe.ts";

/**
 * The answers of the pods that gave one.
 *
 * @throws the first error if none did
 */
export async function fromPods<T>(
  answers: readonly Promise<T>[],
  signal: AbortSignal | undefined,
): Promise<FromPods<readonly T[]>> {
  const settled = await Promise.allSettled(answers);
  signal?.throwIfAborted();
  const pods = settled.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
  const errors = settled.flatMap((answer) => (answer.status === "rejected" ? [answer.reason as unknown] : []));
  if (pods.length === 0 && errors.length > 0) throw errors[0];
  return { pods, unread: errors.map((error) => (error instanceof Error ? error.message : String(error))) };
}
