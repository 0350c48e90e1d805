import { z } from "zod";
import { duration, flag } from "./kinds.ts";

/** Where pods keep what they share. */
export const redisVariables = {
  REDIS_URL: z
    .url({ protocol: /^rediss?$/, error: "must be a redis or rediss URL" })
    .optional()
    .describe(
      "Redis or Valkey, version 7 or later: `redis://host:6379`, or `rediss://` for TLS, with user and password if it needs them. Without it each pod is on its own. **Secret.**",
    ),
  REDIS_CLUSTER: flag
    .prefault("false")
    .describe("Whether `REDIS_URL` is one node of a cluster, from which the others are learned."),
  REDIS_PREFIX: z
    .string()
    .regex(/^[a-z0-9][a-z0-9:_-]{0,59}$/, "must be 1 to 60 of a-z, 0-9, ':', '_' and '-'")
    .prefault("mcp")
    .describe("What every key and channel begins with, so that two environments may use one Redis."),
  REDIS_TIMEOUT: duration
    .prefault("1s")
    .describe(
      "How long a command may take; longer counts as Redis being gone. Nothing that a client waits for ever waits so long.",
    ),
};

type Values = z.output<z.ZodObject<typeof redisVariables>>;

export interface RedisConfig {
  readonly url: string;
  readonly cluster: boolean;
  readonly prefix: string;
  /** Milliseconds. */
  readonly timeout: number;
}

export function redisConfig(values: Values): RedisConfig | undefined {
  if (values.REDIS_URL === undefined) return undefined;
  return {
    url: values.REDIS_URL,
    cluster: values.REDIS_CLUSTER,
    prefix: values.REDIS_PREFIX,
    timeout: values.REDIS_TIMEOUT,
  };
}
