import { script } from "../../redis/script.ts";

/** What `lookUp` says of the lease. */
export const LEASE = { notAsked: 0, granted: 1, held: 2, noRoom: 3 } as const;

/** Finds an entry, and where it is not fresh, takes the lease of loading it: one step, so that one of all who ask gets it. */
export const lookUp = script(`
  -- KEYS[1]  the entry: value, and stale, the milliseconds that it may be used for after it was fresh
  -- KEYS[2]  the lease of loading it: token, and waiting, when somebody waits for its end
  -- ARGV[1]  token of who asks; '' to look only
  -- ARGV[2]  milliseconds that a lease lasts at first
  -- ARGV[3]  most bytes of a value
  -- returns  LEASE, milliseconds that the entry is still fresh (0 or less: it is stale), its value where there is one
  local lease, left, value = ${LEASE.notAsked}, 0, nil
  local size = redis.pcall("HSTRLEN", KEYS[1], "value")
  -- Of what is no entry of ours there is no size.
  if type(size) == "number" and size <= tonumber(ARGV[3]) then
    local entry = redis.call("HMGET", KEYS[1], "value", "stale")
    if entry[1] then
      value = entry[1]
      left = redis.call("PTTL", KEYS[1]) - tonumber(entry[2] or "0")
    end
  end
  if ARGV[1] ~= "" and left <= 0 then
    -- What never expires is no lease of ours.
    if redis.call("PTTL", KEYS[2]) > 0 then
      -- Refused where there is no room for it; who waits then looks again by itself.
      redis.pcall("HSET", KEYS[2], "waiting", "1")
      lease = ${LEASE.held}
    else
      local taken = redis.pcall("HSET", KEYS[2], "token", ARGV[1])
      if type(taken) == "table" then
        -- A replica that was the primary: whoever is connected to it has to hear that.
        if taken.err:find("READONLY", 1, true) then return taken end
        lease = ${LEASE.noRoom}
      else
        redis.call("PEXPIRE", KEYS[2], ARGV[2])
        lease = ${LEASE.granted}
      end
    end
  end
  return { lease, left, value }
`);
