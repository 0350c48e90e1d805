import type { z } from "zod";

/** Characters of a message; longer ones are ignored. */
const MAX_MESSAGE = 64 * 1024;

/**
 * Reads a message of another pod; undefined for other messages, because others may write to Redis.
 */
export function readMessage<S extends z.ZodType>(schema: S, message: string): z.output<S> | undefined {
  if (message.length > MAX_MESSAGE) return undefined;
  try {
    return schema.safeParse(JSON.parse(message)).data;
  } catch {
    return undefined;
  }
}
