import { script } from "../../redis/script.ts";

/** Prolongs the lease of loading an entry. */
export const renew = script(`
  -- KEYS[1]  the lease
  -- ARGV[1]  token of who holds it
  -- ARGV[2]  milliseconds that it lasts from now
  -- returns  1; 0 when it is not held by this token any more
  if redis.call("HGET", KEYS[1], "token") ~= ARGV[1] then return 0 end
  return redis.call("PEXPIRE", KEYS[1], ARGV[2])
`);

/** Gives the lease of loading an entry back, without a value. */
export const giveBack = script(`
  -- KEYS[1]  the lease
  -- ARGV[1]  token of who holds it
  -- ARGV[2]  channel
  -- ARGV[3]  message for those who wait
  -- returns  1; 0 when it is not held by this token any more
  if redis.call("HGET", KEYS[1], "token") ~= ARGV[1] then return 0 end
  local waiting = redis.call("HGET", KEYS[1], "waiting")
  redis.call("DEL", KEYS[1])
  if waiting then redis.call("PUBLISH", ARGV[2], ARGV[3]) end
  return 1
`);
