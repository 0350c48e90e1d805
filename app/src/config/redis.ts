import { z } from "zod";
import { InvalidConfig } from "./invalid-config.ts";
import { duration, flag } from "./kinds.ts";

/** Checks what the client library's constructor would reject without the variable's name. */
const redisUrl = z
  .url({ protocol: /^rediss?$/, error: "must be a redis or rediss URL" })
  .refine((text) => URL.parse(text)?.hostname !== "", "must name a host: 'redis://host:6379'; a socket cannot be used")
  .refine((text) => {
    const { username = "", password = "" } = URL.parse(text) ?? {};
    return isPercentEncoded(username) && isPercentEncoded(password);
  }, "must have user and password percent-encoded: write '%25' for '%', '%40' for '@' and '%2F' for '/'")
  .refine(
    (text) => /^\/?\d{0,9}$/.test(URL.parse(text)?.pathname ?? ""),
    "must have the number of a database as its path, or none: 'redis://host:6379/1'",
  );

/** The Redis that the pods of an environment share. */
export const redisVariables = {
  REDIS_URL: redisUrl
    .optional()
    .describe(
      "Redis or Valkey, version 7 or later: `redis://host:6379`, or `rediss://` for TLS, with user and password if necessary. Without it, pods share no state. **Secret.**",
    ),
  REDIS_CLUSTER: flag
    .prefault("false")
    .describe("Whether `REDIS_URL` is a node of a cluster, which reports the other nodes."),
  REDIS_PREFIX: z
    .string()
    .regex(/^[a-z0-9][a-z0-9:_-]{0,59}$/, "must be 1 to 60 of a-z, 0-9, ':', '_' and '-'")
    .prefault("mcp")
    .describe("Prefix of every key and channel, so that environments can share a Redis."),
  REDIS_TIMEOUT: duration("10ms", "60s")
    .prefault("1s")
    .describe("Time limit of a command; after it, Redis counts as down. No client waits so long."),
};

type Values = z.output<z.ZodObject<typeof redisVariables>>;

export function redisConfig(values: Values) {
  if (values.REDIS_URL === undefined) return undefined;
  if (values.REDIS_CLUSTER && /[1-9]/.test(new URL(values.REDIS_URL).pathname)) {
    throw new InvalidConfig([
      "REDIS_URL must name no database when REDIS_CLUSTER is true: a cluster has only database 0",
    ]);
  }
  return {
    url: values.REDIS_URL,
    cluster: values.REDIS_CLUSTER,
    prefix: values.REDIS_PREFIX,
    timeout: values.REDIS_TIMEOUT,
  };
}

/** Durations are milliseconds. */
export type RedisConfig = NonNullable<ReturnType<typeof redisConfig>>;

function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
