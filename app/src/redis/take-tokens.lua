-- Charges clients for calls that were made, by GCRA on Redis's clock.
--
-- KEYS     one for each client, with one hash tag: the millisecond at which its bucket is full again
-- ARGV[1]  milliseconds per token
-- ARGV[2]  milliseconds that a bucket takes to fill
-- ARGV[3…] tokens taken, for each key
-- returns  for each key, the milliseconds until its bucket is full, as a string
local time = redis.call("TIME")
local now = time[1] * 1000 + time[2] / 1000
local interval, capacity = tonumber(ARGV[1]), tonumber(ARGV[2])
local left = {}
for index, key in ipairs(KEYS) do
  local full = tonumber(redis.call("GET", key) or "0")
  -- Calls that pods admit at the same moment are paid back later, but at most one bucket of them.
  full = math.min(math.max(full, now) + interval * tonumber(ARGV[index + 2]), now + 2 * capacity)
  redis.call("SET", key, string.format("%.3f", full), "PX", math.ceil(full - now) + 1)
  left[index] = string.format("%.3f", full - now)
end
return left
