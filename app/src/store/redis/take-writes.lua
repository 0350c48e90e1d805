-- Returns the oldest writes: first those that a pod took so long ago that it is considered dead, then
-- new ones.
--
-- KEYS[1]  stream of writes that wait
-- ARGV     most writes, milliseconds after which a write is returned again
-- returns  {entry, {field, value, …}} of each
--
-- All pods are one consumer, because only the time since a write was taken matters. So no names of
-- dead pods stay.
local limit = tonumber(ARGV[1])
if redis.call("XLEN", KEYS[1]) == 0 then return {} end

local claim = { "XAUTOCLAIM", KEYS[1], "store", "pods", ARGV[2], "0-0", "COUNT", limit }
local claimed = redis.pcall(unpack(claim))
if claimed.err then
  redis.call("XGROUP", "CREATE", KEYS[1], "store", "0")
  claimed = redis.call(unpack(claim))
end
local entries = claimed[2]
if #entries >= limit then return entries end

local read = redis.call("XREADGROUP", "GROUP", "store", "pods", "COUNT", limit - #entries, "STREAMS", KEYS[1], ">")
for _, entry in ipairs(read and read[1][2] or {}) do table.insert(entries, entry) end
return entries
