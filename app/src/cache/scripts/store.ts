import { script } from "../../redis/script.ts";

/** What `store` returns. */
export const STORED = { lost: 0, stored: 1, noRoom: 2 } as const;

/** Keeps a value, of the one who still holds the lease of loading it, and tells those who wait. */
export const store = script(`
  -- KEYS[1]  the entry
  -- KEYS[2]  the lease of loading it
  -- ARGV[1]  token of who stores; '' for who loads without a lease
  -- ARGV[2]  value
  -- ARGV[3]  milliseconds that it is fresh
  -- ARGV[4]  milliseconds that it may be used for after that
  -- ARGV[5]  channel
  -- ARGV[6]  message for those who wait
  -- returns  STORED
  if ARGV[1] ~= "" and redis.call("HGET", KEYS[2], "token") ~= ARGV[1] then
    return ${STORED.lost}
  end
  local result = ${STORED.stored}
  local kept = redis.pcall("HSET", KEYS[1], "value", ARGV[2], "stale", ARGV[4])
  if type(kept) == "table" and kept.err:find("WRONGTYPE", 1, true) then
    redis.call("DEL", KEYS[1])
    kept = redis.pcall("HSET", KEYS[1], "value", ARGV[2], "stale", ARGV[4])
  end
  if type(kept) == "table" then
    if kept.err:find("READONLY", 1, true) then return kept end
    result = ${STORED.noRoom}
  else
    redis.call("PEXPIRE", KEYS[1], ARGV[3] + ARGV[4])
  end
  if ARGV[1] ~= "" then
    local waiting = redis.call("HGET", KEYS[2], "waiting")
    redis.call("DEL", KEYS[2])
    if waiting then redis.call("PUBLISH", ARGV[5], ARGV[6]) end
  end
  return result
`);
