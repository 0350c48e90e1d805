-- Takes one pod's report about its breakers, decides for all pods, and returns the state. See
-- docs/shared-state.md for the protocol.
--
-- KEYS[1]  hash: pod → its last report, as JSON {expires, opinions: {breaker: "open" | "closed"}}. The
--          opinions are its votes, under the name in the previous version of this script
-- KEYS[2]  hash: open breaker → JSON {epoch, opened, due, openings, forced, by, successes, hold,
--          probing, leases: {token: its expiry}}
-- KEYS[3]  hash: epoch, the highest so far; since, the time of the first report
-- KEYS[4]  stream of transitions
-- ARGV[1]  channel on which transitions are published
-- ARGV[2]  JSON, a SyncRequest
-- returns  {epoch, "lost" if the pod has changes that are lost here and must send them, otherwise "",
--           each open breaker as JSON, or nil if the pod has them,
--           {breaker, token, milliseconds of validity} or {breaker, "", milliseconds until it is due}
--           for each requested probe lease}
--
-- All times are milliseconds of Redis's clock, which may be set back. Each opening and closing raises
-- the epoch. It is never lower than the clock, so that it rises also after a loss of all data.
local HISTORY = 1000
local LONGEST_HOLD = 600000
local FORGOTTEN = 86400000

local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local request = cjson.decode(ARGV[2])
local ttl = 3 * request.interval
local meta = redis.call("HMGET", KEYS[3], "epoch", "since")
local epoch = tonumber(meta[1] or 0)
local since = tonumber(meta[2] or now)
if request.highest > epoch and not request.known then return { epoch, "lost", false, {} } end
if not meta[2] or since > now then
  since = now
  redis.call("HSET", KEYS[3], "since", now)
end

local open = {}
local stored = redis.call("HGETALL", KEYS[2])
for index = 1, #stored, 2 do open[stored[index]] = cjson.decode(stored[index + 1]) end

local function keep(name, record)
  open[name] = record
  redis.call("HSET", KEYS[2], name, cjson.encode(record))
end

local function drop(name)
  open[name] = nil
  redis.call("HDEL", KEYS[2], name)
end

local function raise(to)
  epoch = to
  redis.call("HSET", KEYS[3], "epoch", string.format("%.0f", to))
end

local function raised()
  raise(math.max(epoch, request.highest, now - 1) + 1)
  return epoch
end

local function note(name, from, to, reason)
  redis.call("XADD", KEYS[4], "MAXLEN", "~", HISTORY, "*", "breaker", name, "from", from, "to", to, "reason", reason,
    "pod", request.pod, "epoch", string.format("%.0f", epoch))
end

local function view(name, record)
  return cjson.encode({ name = name, epoch = record.epoch, open = true, forced = record.forced, openings = record.openings,
    remaining = math.max(0, record.due - now) })
end

local function stateOf(record)
  return record == nil and "closed" or record.probing and "half-open" or "open"
end

local function becomeOpen(name, reason, milliseconds, openings, forced, leases)
  local from = stateOf(open[name])
  keep(name, {
    epoch = raised(), opened = now, due = now + math.floor(milliseconds), openings = openings, forced = forced,
    by = request.pod, successes = 0, hold = ttl, probing = false, leases = leases,
  })
  note(name, from, "open", reason)
  redis.call("PUBLISH", ARGV[1], view(name, open[name]))
end

local function becomeClosed(name, reason)
  local from = stateOf(open[name])
  drop(name)
  raised()
  note(name, from, "closed", reason)
  redis.call("PUBLISH", ARGV[1], cjson.encode({ name = name, epoch = epoch, open = false }))
end

-- Restores what this Redis has lost and a pod still has; the first pod to send it counts. Leases
-- are lost: a new epoch ends unused ones, and new ones wait for the probes in flight.
local function restore(known)
  local before = epoch
  raise(math.max(epoch, request.highest))
  for name, record in pairs(open) do
    if record.epoch <= request.seen then drop(name) end
  end
  for _, one in ipairs(known) do
    if one.epoch > before and one.open then
      local mayProbe = not one.forced and (one.remaining <= 0 or one.openings > 1)
      local wait = math.max(one.remaining, mayProbe and one.timeout + ttl or 0)
      keep(one.name, {
        epoch = mayProbe and raised() or one.epoch, opened = now, due = now + math.floor(wait),
        openings = one.openings, forced = one.forced, by = "", successes = 0, hold = ttl, probing = false, leases = {},
      })
      redis.call("PUBLISH", ARGV[1], view(one.name, open[one.name]))
    elseif one.epoch > before then
      drop(one.name)
    end
  end
end

local function settle(name, probe, breaker)
  local record = open[name]
  if record == nil or record.forced then return end
  local expiry = record.leases[probe.token]
  if expiry == nil or expiry < now then return end
  record.leases[probe.token] = nil
  if record.epoch ~= probe.epoch then
    -- Of an earlier epoch: it only frees a slot.
  elseif probe.outcome == "failure" then
    -- Other probes continue, and count in the next epoch while they are in flight.
    becomeOpen(name, "probe-failed", breaker.reopen, record.openings + 1, false, record.leases)
    return
  elseif probe.outcome == "unused" then
    -- Calls are rare: the next lease lasts longer.
    record.hold = math.min(record.hold * 2, LONGEST_HOLD)
  elseif probe.outcome == "success" then
    record.successes = record.successes + 1
    if record.successes >= breaker.threshold then return becomeClosed(name, "probes-succeeded") end
  end
  keep(name, record)
end

-- A probe lease, or the time until the next request makes sense.
local isOutdated = false
local function probeLease(name, ask, breaker)
  local record = open[name]
  if record == nil or record.epoch ~= ask.epoch then
    isOutdated = true
    return { name, "", 0 }
  end
  if record.forced then return { name, "", 0 } end
  local due = record.due
  -- Where this pod's last probe failed, the fault may be the pod's own: others go first.
  if record.by == request.pod and record.openings > 1 and redis.call("HLEN", KEYS[1]) > 1 then due = due + request.interval end
  if now < due then return { name, "", due - now } end
  local taken = 0
  for other, expiry in pairs(record.leases) do
    if expiry < now then record.leases[other] = nil else taken = taken + 1 end
  end
  if taken >= breaker.limit or taken + record.successes >= math.max(breaker.limit, breaker.threshold) then
    return { name, "", 0 }
  end
  record.leases[ask.token] = now + record.hold + breaker.timeout + ttl
  if not record.probing then
    note(name, "open", "half-open", "recovery-time")
    record.probing = true
  end
  keep(name, record)
  return { name, ask.token, record.hold }
end

if request.known and request.highest > epoch then restore(request.known) end
for name, record in pairs(open) do
  local back = record.opened - now
  if back > 0 then
    -- The clock was set back, and would keep it open for as long again.
    record.opened, record.due = now, record.due - back
    for token, expiry in pairs(record.leases) do record.leases[token] = expiry - back end
    keep(name, record)
  elseif not record.forced and now - record.due > FORGOTTEN then
    drop(name)
    raised()
  end
end

local opinions = {}
local openVotes = {}
local asked = {}
for _, breaker in ipairs(request.breakers) do
  local name = breaker.name
  if breaker.operator == "force" then
    becomeOpen(name, "forced", 0, 1, true, {})
  elseif breaker.operator == "reset" and open[name] then
    becomeClosed(name, "reset")
  end
  for _, probe in ipairs(breaker.settled) do settle(name, probe, breaker) end
  local record = open[name]
  if record and breaker.healed == record.epoch and not record.forced then becomeClosed(name, "probes-succeeded") end
  if breaker.vote and not open[name] then
    opinions[name] = breaker.vote
    if breaker.vote == "open" then openVotes[#openVotes + 1] = breaker end
  end
  if breaker.ask then asked[#asked + 1] = probeLease(name, breaker.ask, breaker) end
end

-- The pods that have reported within three intervals.
local function present()
  local pods = {}
  local said = redis.call("HGETALL", KEYS[1])
  for index = 1, #said, 2 do
    local pod = cjson.decode(said[index + 1])
    if pod.expires >= now then
      pods[said[index]] = pod
    else
      redis.call("HDEL", KEYS[1], said[index])
    end
  end
  return pods
end

if request.leaving then
  redis.call("HDEL", KEYS[1], request.pod)
elseif redis.call("HSET", KEYS[1], request.pod, cjson.encode({ expires = now + ttl, opinions = opinions })) == 1 then
  -- Every process has a new name: names of pods that are gone must not stay.
  present()
end

-- Not before every pod has had the time to report: the first pod after a loss of data is not alone.
if #openVotes > 0 and now - since >= ttl then
  local pods = present()
  for _, breaker in ipairs(openVotes) do
    local name = breaker.name
    local forOpen, voting = 0, 0
    for _, pod in pairs(pods) do
      if pod.opinions[name] then voting = voting + 1 end
      if pod.opinions[name] == "open" then forOpen = forOpen + 1 end
    end
    if 2 * forOpen > voting and forOpen >= 2 then
      becomeOpen(name, "quorum", breaker.reopen, 1, false, {})
      for id, pod in pairs(pods) do
        if pod.opinions[name] then
          pod.opinions[name] = nil
          redis.call("HSET", KEYS[1], id, cjson.encode(pod))
        end
      end
    end
  end
end

local views = false
if request.all or isOutdated or request.seen ~= epoch then
  views = {}
  for name, record in pairs(open) do views[#views + 1] = view(name, record) end
end
return { epoch, "", views, asked }
