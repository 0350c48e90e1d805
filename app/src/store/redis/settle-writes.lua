-- Removes writes that the store has taken or has refused too often; returns the state of the queue.
--
-- KEYS[1]  stream of writes that wait
-- KEYS[2]  hash: idempotency key of each that waits → JSON
-- KEYS[3]  hash: entry → how often the store has refused it
-- KEYS[4]  stream of dead letters
-- ARGV     JSON {taken: [entry], refused: [{id, reason}]}, refusals that make a dead letter
-- returns  {writes that wait, version of the oldest or "", dead letters}
local settlement = cjson.decode(ARGV[1])

local function fieldsOf(id)
  local entry = redis.call("XRANGE", KEYS[1], id, id)[1]
  return entry and entry[2]
end

local function field(fields, name)
  for index = 1, #fields, 2 do
    if fields[index] == name then return fields[index + 1] end
  end
  return ""
end

local function remove(id, fields)
  redis.call("XACK", KEYS[1], "store", id)
  redis.call("XDEL", KEYS[1], id)
  redis.call("HDEL", KEYS[2], field(fields, "idempotencyKey"))
  redis.call("HDEL", KEYS[3], id)
end

for _, id in ipairs(settlement.taken) do
  local fields = fieldsOf(id)
  if fields then remove(id, fields) end
end
for _, refused in ipairs(settlement.refused) do
  local fields = fieldsOf(refused.id)
  if fields and redis.call("HINCRBY", KEYS[3], refused.id, 1) >= tonumber(ARGV[2]) then
    redis.call("XADD", KEYS[4], "*", "reason", refused.reason, unpack(fields))
    remove(refused.id, fields)
  end
end

local oldest = redis.call("XRANGE", KEYS[1], "-", "+", "COUNT", 1)[1]
return { redis.call("XLEN", KEYS[1]), oldest and field(oldest[2], "version") or "", redis.call("XLEN", KEYS[4]) }
