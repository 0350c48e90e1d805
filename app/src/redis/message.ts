import type { z } from "zod";

/** Characters of a message that is still looked at. */
const MAX_MESSAGE = 64 * 1024;

/** What a channel has carried, if it is what pods say to each other; anybody who reaches Redis can say something else. */
export function readMessage<S extends z.ZodType>(schema: S, message: string): z.output<S> | undefined {
  if (message.length > MAX_MESSAGE) return undefined;
  try {
    return schema.safeParse(JSON.parse(message)).data;
  } catch {
    return undefined;
  }
}
