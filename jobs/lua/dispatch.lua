#!lua flags=allow-oom
-- Releases what the limits and the free slots of live workers allow, and sends each worker one message for its share.
-- KEYS: 1 dispatcher (who leads)
-- ARGV: 1 prefix  2 worker id  3 lease ms of the lead  4 limits as JSON  5 most jobs to release  6 ms until a release is taken back
--       7 Celery message template as JSON, whose args are filled in here
-- Returns {1 leads or 0, jobs released, ms until something may go next (-1: not before the next wake)}.
-- Twice: releases more, if more may go. The lead expires by itself; lanes forget themselves a day after their last use.
local leader = redis.call('GET', KEYS[1])
if leader and leader ~= ARGV[2] then return {0, 0, -1} end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
local limits = cjson.decode(ARGV[4])

local workers, free = {}, 0
for _, id in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'workers', '(' .. int(now), '+inf')) do
  local state = redis.call('HMGET', prefix .. 'worker:' .. id, 'slots', 'stalled')
  local room = tonumber(state[1] or '0') - redis.call('SCARD', worker_jobs_key(id))
  -- One that left a release unclaimed is passed over for a while: its Celery side may hang.
  if room > 0 and now - tonumber(state[2] or 0) > 10000 then
    table.insert(workers, {id = id, room = room, jobs = {}})
    free = free + room
  end
end

local number = nil
local function least_busy()
  local best = nil
  for _, worker in ipairs(workers) do
    if worker.room > 0 and (not best or worker.room > best.room) then best = worker end
  end
  return best
end

local clocks
local function open_lane(name)
  local state = redis.call('HMGET', lane_key(name), 'requests', 'tokens', 'paused_until', 'pause_reason', 'probe',
    'factor', 'factor_at', 'cap', 'cap_at', 'service', 'settled')
  local model = name:match('^[^:]*:(.*)$')
  local limit = limits.models[model] or limits.default
  local lane = {name = name, limit = limit, requests = tonumber(state[1] or 0), tokens = tonumber(state[2] or 0),
    paused_until = tonumber(state[3] or 0), pause_reason = state[4] or '', probe = state[5], service = state[10] or '0', settled = tonumber(state[11] or 0),
    in_flight = redis.call('SCARD', lane_key(name) .. ':slots'), room = limit.in_flight, factor = 1}
  -- What an overloaded upstream took away grows back with time: a tenth of the rate, and of the width, each 10 s.
  if state[6] then lane.factor = math.min(1, tonumber(state[6]) + 0.1 * (now - tonumber(state[7])) / 10000) end
  if state[8] then
    local cap = tonumber(state[8])
    lane.room = math.min(lane.room, math.floor(cap + math.max(1, 0.1 * cap) * (now - tonumber(state[9])) / 10000))
  end
  if lane.probe then lane.room = 1 end
  -- What ended since used more or less than was reserved for it.
  local _, tokens = clocks(lane)
  if tokens then lane.tokens = lane.tokens + lane.settled * tokens.per_unit end
  return lane
end

-- A clock (GCRA) of `limit` a minute: refills at limit - burst, holds `burst`, so no 60 s window exceeds the limit.
-- Answers ms per unit and the units it holds.
local function clock_of(limit, burst, factor)
  burst = burst or limit * 0.01
  return 60000 / ((limit - burst) * factor), math.max(1, burst)
end

-- ms until `cost` units fit, 0 for now; a cost above what the clock holds may overdraw a full one.
local function wait_for(tat, cost, per_unit, holds)
  return math.max(0, tat - now - (holds - math.min(cost, holds)) * per_unit)
end

local function head(lane)
  local projects = lane_key(lane.name) .. ':projects'
  while true do
    local first = redis.call('ZRANGE', projects, 0, 0, 'WITHSCORES')
    if not first[1] then return nil end
    local n = redis.call('ZRANGE', queue_key(lane.name, first[1]), 0, 0)[1]
    if n then
      local job = read(n, 'stage', 'tokens')
      if job.stage == 'waiting' then
        return {n = n, project = first[1], service = tonumber(first[2]), tokens = tonumber(job.tokens)}
      end
      redis.call('ZREM', queue_key(lane.name, first[1]), n)
    else
      redis.call('ZREM', projects, first[1])
    end
  end
end

-- The lane's two clocks, each with the ms a unit takes and the units it holds; nil where there is no limit.
function clocks(lane)
  local limit, requests, tokens = lane.limit, nil, nil
  if limit.requests_per_minute then
    local per_unit, holds = clock_of(limit.requests_per_minute, limit.burst, lane.factor)
    requests = {per_unit = per_unit, holds = holds}
  end
  if limit.tokens_per_minute then
    local share = limit.burst and limit.requests_per_minute and limit.burst / limit.requests_per_minute or 0.01
    local per_unit, holds = clock_of(limit.tokens_per_minute, limit.tokens_per_minute * share, lane.factor)
    tokens = {per_unit = per_unit, holds = holds}
  end
  return requests, tokens
end

-- The job of the lane that may go now, or nil with the reason and the ms to wait
-- (-1: until something ends; no reason: the lane is empty).
local function next_of(lane)
  local pick = head(lane)
  if not pick then return nil, '', -1 end
  if lane.paused_until > now then return nil, 'lane_paused: ' .. lane.pause_reason, lane.paused_until - now end
  if lane.in_flight >= lane.room then
    return nil, lane.probe and ('lane_paused: ' .. lane.pause_reason) or 'in_flight', -1
  end
  local requests, tokens = clocks(lane)
  local wait = requests and wait_for(lane.requests, 1, requests.per_unit, requests.holds) or 0
  if wait > 0 then return nil, 'rate_limit_requests', wait end
  wait = tokens and wait_for(lane.tokens, pick.tokens, tokens.per_unit, tokens.holds) or 0
  if wait > 0 then return nil, 'rate_limit_tokens', wait end
  return pick
end

local function charge(lane, cost)
  local requests, tokens = clocks(lane)
  if requests then lane.requests = math.max(lane.requests, now) + requests.per_unit end
  if tokens then lane.tokens = math.max(lane.tokens, now) + cost * tokens.per_unit end
end

local function release(lane, pick)
  local worker, n = least_busy(), pick.n
  if not number then number = int(redis.call('HINCRBY', prefix .. 'counters', 'dispatches', 1)) end
  redis.call('ZREM', queue_key(lane.name, pick.project), n)
  redis.call('ZADD', lane_key(lane.name) .. ':projects', pick.service + 1, pick.project)
  redis.call('SADD', lane_key(lane.name) .. ':slots', n)
  redis.call('SADD', worker_jobs_key(worker.id), n)
  redis.call('ZADD', prefix .. 'dispatched', int(now + tonumber(ARGV[6])), n)
  redis.call('HSET', job_key(n), 'stage', 'dispatched', 'dispatch', number, 'worker', worker.id)
  table.insert(worker.jobs, n)
  worker.room, free = worker.room - 1, free - 1
  lane.in_flight, lane.service = lane.in_flight + 1, pick.service + 1
  charge(lane, pick.tokens)
end

local function save(lane, reason)
  local key = lane_key(lane.name)
  if lane.settled ~= 0 then redis.call('HDEL', key, 'settled') end
  redis.call('HSET', key, 'requests', lane.requests, 'tokens', lane.tokens, 'service', lane.service, 'blocked', reason)
  redis.call('PEXPIRE', key, int(math.max(DAY, lane.paused_until - now + DAY)))
end

-- Lanes take turns, the one served longest ago first; its score is when it was served or when it may go again.
local function park(lane, reason, wait)
  if reason == '' then redis.call('ZREM', prefix .. 'lanes', lane.name)
  elseif reason ~= 'no_worker' or lane.served then
    local at = reason == 'no_worker' and int(now_us) or (wait < 0 and '+inf' or int((now + wait) * 1000))
    redis.call('ZADD', prefix .. 'lanes', at, lane.name)
  end
  save(lane, reason)
end

local lanes = {}
for i, name in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'lanes', '-inf', int(now_us), 'LIMIT', 0, 256)) do
  lanes[i] = open_lane(name)
end
local left, released, turn = tonumber(ARGV[5]), 0, 1
while #lanes > 0 and left > 0 do
  if turn > #lanes then turn = 1 end
  local lane = lanes[turn]
  local pick, reason, wait = next_of(lane)
  if pick and free > 0 then
    release(lane, pick)
    left, released, turn, lane.served = left - 1, released + 1, turn + 1, true
  else
    table.remove(lanes, turn)
    park(lane, pick and 'no_worker' or reason, wait)
  end
end
for _, lane in ipairs(lanes) do
  redis.call('ZADD', prefix .. 'lanes', int(now_us), lane.name)
  save(lane, '')
end

for _, worker in ipairs(workers) do
  for first = 1, #worker.jobs, 64 do
    local ids = {unpack(worker.jobs, first, math.min(first + 63, #worker.jobs))}
    local message = cjson.decode(ARGV[7])
    local id = number .. '-' .. worker.id .. '-' .. first
    message.body = '[[' .. cjson.encode(ids) .. ',' .. number .. '],{},{"callbacks":null,"errbacks":null,"chain":null,"chord":null}]'
    message.headers.id, message.headers.root_id = id, id
    message.properties.correlation_id, message.properties.delivery_tag = id, id
    local queue = prefix .. 'queue:' .. worker.id
    message.properties.delivery_info.routing_key = queue
    redis.call('LPUSH', queue, cjson.encode(message))
    redis.call('PEXPIRE', queue, int(DAY))
  end
end

redis.call('SET', prefix .. 'asleep', '1', 'PX', 60000)
local wait = -1
if #lanes > 0 then wait = 0
elseif free > 0 then
  local first = redis.call('ZRANGE', prefix .. 'lanes', 0, 0, 'WITHSCORES')
  if first[2] and first[2] ~= 'inf' then wait = math.max(0, math.ceil(tonumber(first[2]) / 1000 - now)) end
end
return {1, released, wait}
