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

-- Workers -------------------------------------------------------------------------------------------------------------

local workers, free = {}, 0
for _, id in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'workers', '(' .. int(now), '+inf')) do
  local state = redis.call('HMGET', worker_key(id), 'slots', 'stalled')
  local room = tonumber(state[1] or '0') - redis.call('SCARD', worker_jobs_key(id))
  -- One that left a release unclaimed is passed over for a while: its Celery side may hang.
  if room > 0 and now - tonumber(state[2] or 0) > 10000 then
    table.insert(workers, {id = id, room = room, jobs = {}})
    free = free + room
  end
end

local function least_busy()
  local best = nil
  for _, worker in ipairs(workers) do
    if worker.room > 0 and (not best or worker.room > best.room) then best = worker end
  end
  return best
end

-- Lanes ---------------------------------------------------------------------------------------------------------------

-- A clock (GCRA) of `limit` a minute: refills at limit - burst, holds `burst`, so no 60 s window exceeds the limit.
-- `at` is when it would be full again, `per_unit` the ms that a unit takes, `holds` the units it holds.
local function clock_of(at, limit, burst, factor)
  if not limit then return nil end
  burst = burst or limit * 0.01
  return {at = at, per_unit = 60000 / ((limit - burst) * factor), holds = math.max(1, burst)}
end

-- ms until `cost` units fit, 0 for now; a cost above what the clock holds may overdraw a full one.
local function wait_for(clock, cost)
  if not clock then return 0 end
  return math.max(0, clock.at - now - (clock.holds - math.min(cost, clock.holds)) * clock.per_unit)
end

-- No single job, and no correction, closes a lane for more than ten minutes, whatever it claims to take.
local function charge(clock, cost)
  if not clock then return end
  clock.at = math.min(math.max(clock.at, now) + cost * clock.per_unit, now + 600000)
end

local function open_lane(name)
  local state = redis.call('HMGET', lane_key(name), 'requests', 'tokens', 'paused_until', 'pause_reason', 'probe',
    'factor', 'factor_at', 'cap', 'cap_at', 'service', 'settled')
  local limit = limits.models[name:match('^[^:]*:(.*)$')] or limits.default
  local lane = {name = name, paused_until = tonumber(state[3] or 0), pause_reason = state[4] or '', probe = state[5],
    service = state[10] or '0', in_flight = redis.call('SCARD', slots_key(name)), room = limit.in_flight}
  -- What an overloaded upstream took away grows back with time: a tenth of the rate, and of the width, each 10 s.
  local factor = 1
  if state[6] then factor = math.min(1, tonumber(state[6]) + 0.1 * (now - tonumber(state[7])) / 10000) end
  if state[8] then
    local cap = tonumber(state[8])
    lane.room = math.min(lane.room, math.floor(cap + math.max(1, 0.1 * cap) * (now - tonumber(state[9])) / 10000))
  end
  if lane.probe then lane.room = 1 end
  local share = limit.burst and limit.requests_per_minute and limit.burst / limit.requests_per_minute or 0.01
  local tokens = limit.tokens_per_minute
  lane.requests = clock_of(tonumber(state[1] or 0), limit.requests_per_minute, limit.burst, factor)
  lane.tokens = clock_of(tonumber(state[2] or 0), tokens, tokens and tokens * share, factor)
  -- What ended since used more or less than was reserved for it.
  if lane.tokens and state[11] then
    lane.tokens.at = math.min(lane.tokens.at + tonumber(state[11]) * lane.tokens.per_unit, now + 600000)
  end
  return lane
end

local function save(lane, reason)
  local key = lane_key(lane.name)
  redis.call('HDEL', key, 'settled')
  redis.call('HSET', key, 'requests', lane.requests and lane.requests.at or 0, 'tokens', lane.tokens and lane.tokens.at or 0,
    'service', lane.service, 'blocked', reason)
  redis.call('PEXPIRE', key, int(math.max(DAY, lane.paused_until - now + DAY)))
end

-- The job at the head of the lane: the oldest of the project served least.
local function head(lane)
  while true do
    local first = redis.call('ZRANGE', projects_key(lane.name), 0, 0, 'WITHSCORES')
    if not first[1] then return nil end
    local n = redis.call('ZRANGE', queue_key(lane.name, first[1]), 0, 0)[1]
    if n then
      local job = read(n, 'stage', 'tokens')
      if job.stage == 'waiting' then
        return {n = n, project = first[1], service = tonumber(first[2]), tokens = tonumber(job.tokens)}
      end
      redis.call('ZREM', queue_key(lane.name, first[1]), n)
    else
      redis.call('ZREM', projects_key(lane.name), first[1])
    end
  end
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
  local wait = wait_for(lane.requests, 1)
  if wait > 0 then return nil, 'rate_limit_requests', wait end
  wait = wait_for(lane.tokens, pick.tokens)
  if wait > 0 then return nil, 'rate_limit_tokens', wait end
  return pick
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

-- Release -------------------------------------------------------------------------------------------------------------

local dispatch = nil
local function release(lane, pick)
  local worker, n = least_busy(), pick.n
  if not dispatch then dispatch = int(redis.call('HINCRBY', prefix .. 'counters', 'dispatches', 1)) end
  redis.call('ZREM', queue_key(lane.name, pick.project), n)
  redis.call('ZADD', projects_key(lane.name), pick.service + 1, pick.project)
  redis.call('SADD', slots_key(lane.name), n)
  redis.call('SADD', worker_jobs_key(worker.id), n)
  redis.call('ZADD', prefix .. 'dispatched', int(now + tonumber(ARGV[6])), n)
  redis.call('HSET', job_key(n), 'stage', 'dispatched', 'dispatch', dispatch, 'worker', worker.id, 'reserved', pick.tokens)
  table.insert(worker.jobs, n)
  worker.room, free = worker.room - 1, free - 1
  lane.in_flight, lane.service, lane.served = lane.in_flight + 1, pick.service + 1, true
  charge(lane.requests, 1)
  charge(lane.tokens, pick.tokens)
end

local lanes = {}
for i, name in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'lanes', '-inf', int(now_us), 'LIMIT', 0, 256)) do
  lanes[i] = open_lane(name)
end
local left, turn = tonumber(ARGV[5]), 1
while #lanes > 0 and left > 0 do
  if turn > #lanes then turn = 1 end
  local lane = lanes[turn]
  local pick, reason, wait = next_of(lane)
  if pick and free > 0 then
    release(lane, pick)
    left, turn = left - 1, turn + 1
  else
    table.remove(lanes, turn)
    park(lane, pick and 'no_worker' or reason, wait)
  end
end
for _, lane in ipairs(lanes) do
  redis.call('ZADD', prefix .. 'lanes', int(now_us), lane.name)
  save(lane, '')
end

local function send(worker, ids, place)
  local message = cjson.decode(ARGV[7])
  local id = dispatch .. '-' .. worker.id .. '-' .. place
  message.body = '[[' .. cjson.encode(ids) .. ',' .. dispatch .. '],{},{"callbacks":null,"errbacks":null,"chain":null,"chord":null}]'
  message.headers.id, message.headers.root_id = id, id
  message.properties.correlation_id, message.properties.delivery_tag = id, id
  message.properties.delivery_info.routing_key = worker_queue_key(worker.id)
  redis.call('LPUSH', worker_queue_key(worker.id), cjson.encode(message))
  redis.call('PEXPIRE', worker_queue_key(worker.id), int(DAY))
end

for _, worker in ipairs(workers) do
  for first = 1, #worker.jobs, 64 do
    send(worker, {unpack(worker.jobs, first, math.min(first + 63, #worker.jobs))}, first)
  end
end

redis.call('SET', prefix .. 'asleep', '1', 'PX', 60000)
local wait = -1
if #lanes > 0 then wait = 0
elseif free > 0 then
  local first = redis.call('ZRANGE', prefix .. 'lanes', 0, 0, 'WITHSCORES')
  if first[2] and first[2] ~= 'inf' then wait = math.max(0, math.ceil(tonumber(first[2]) / 1000 - now)) end
end
return {1, tonumber(ARGV[5]) - left, wait}
