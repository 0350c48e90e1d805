-- Adds a write to the queue, once per idempotency key, unless Redis could not keep it.
--
-- KEYS[1]  stream of writes that wait
-- KEYS[2]  hash: idempotency key of each that waits → JSON [entry, digest, version]
-- ARGV     most writes that may wait, idempotency key, key, value, digest, version,
--          prefix of its owner's keys, most writes of one owner ("": no limit)
-- returns  {"full"}, {"owner-full"}, {"evicts"}, {"taken", persistence: "aof", "memory" or "unknown"},
--          or {"repeated", persistence, digest, version} of the write with this idempotency key
local limit, idempotencyKey, key, value, digest, version, owner, max = unpack(ARGV)

-- The node that runs this keeps the stream. A user without the right to INFO gets "unknown".
local info = redis.pcall("INFO", "memory", "persistence")
local persisted = "unknown"
if type(info) == "string" then
  persisted = info:find("aof_enabled:1", 1, true) and "aof" or "memory"
  if not info:find("maxmemory:0\r", 1, true) and info:find("maxmemory_policy:allkeys", 1, true) then return { "evicts" } end
end

local before = redis.call("HGET", KEYS[2], idempotencyKey)
if before then
  local entry, itsDigest, itsVersion = unpack(cjson.decode(before))
  if #redis.call("XRANGE", KEYS[1], entry, entry) > 0 then return { "repeated", persisted, itsDigest, itsVersion } end
end
local depth = redis.call("XLEN", KEYS[1])
if depth >= tonumber(limit) then return { "full" } end
if owner ~= "" and depth >= tonumber(max) then
  local owned = 0
  for _, name in ipairs(redis.call("HKEYS", KEYS[2])) do
    if name:sub(1, #owner) == owner then owned = owned + 1 end
  end
  if owned >= tonumber(max) then return { "owner-full" } end
end

local entry = redis.call("XADD", KEYS[1], "*",
  "idempotencyKey", idempotencyKey, "key", key, "value", value, "digest", digest, "version", version)
redis.call("HSET", KEYS[2], idempotencyKey, cjson.encode({ entry, digest, version }))
return { "taken", persisted }
