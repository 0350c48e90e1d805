import { script } from "../../redis/script.ts";

/** Forgets an entry, ends the lease of loading it, so that what is being loaded is not stored, and tells every pod. */
export const forget = script(`
  -- KEYS[1]  the entry
  -- KEYS[2]  the lease of loading it
  -- ARGV[1]  channel
  -- ARGV[2]  message for every pod; '' for none
  -- returns  how many of the keys there were
  local gone = redis.call("DEL", KEYS[1], KEYS[2])
  if ARGV[2] ~= "" then redis.call("PUBLISH", ARGV[1], ARGV[2]) end
  return gone
`);
