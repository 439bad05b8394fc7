#!lua flags=allow-oom
-- Releases what the limits and the free slots of live workers allow, and sends each worker one message for its share.
-- KEYS: 1 dispatcher (who leads)
-- ARGV: 1 prefix  2 worker id  3 lease ms of the lead  4 limits as JSON  5 most jobs to release  6 ms until a release is taken back
--       7 Celery message template as JSON, whose args are filled in here
-- Returns {1 leads or 0, jobs released, ms until something may go next (-1: not before the next wake), lines for the log}.
-- Twice: releases more, if more may go. The lead expires by itself; lanes forget themselves a day after their last use.
local leader = redis.call('GET', KEYS[1])
if leader and leader ~= ARGV[2] then return {0, 0, -1, {}} end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
local limits = cjson.decode(ARGV[4])
-- A call that stays up for so long after its start has found its endpoint: connecting and being refused take less.
local PROBE_MS = 15000

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

-- Lanes: one upstream account x one model -------------------------------------------------------------------------------

local SHOWN = {requests = 'requests_per_minute', tokens = 'tokens_per_minute', width = 'in_flight'}

-- What a lane learned from refusals grows back: slowly at first, near the rate that was refused, then ever faster.
-- `calm` is the seconds in which a twentieth comes back.
local function grown(value, at, calm)
  local turns = (now - at) / 1000 / calm
  return value * (1 + 0.05 * turns + 0.5 * (turns / 5) ^ 3)
end

-- The bound that holds now, of what is set (nil: none) and what was learned; a lesson that has grown beyond it is forgotten.
local function bound_of(lane, name, set, calm)
  local state = redis.call('HMGET', lane_key(lane), name .. '_learned', name .. '_learned_at')
  if not state[1] then return set end
  local value = grown(tonumber(state[1]), tonumber(state[2]), calm or math.min(300, math.max(60, 18000 / tonumber(state[1]))))
  if value < (set or 10000000) then return value end
  redis.call('HDEL', lane_key(lane), name .. '_learned', name .. '_learned_at')
  tell(lane, SHOWN[name] .. ' is what it was set to again')
  return set
end

-- A clock (GCRA) of `limit` a minute that holds `burst`. It refills at what the burst leaves of the limit, less a little for
-- calls that start later than they were released: no 60 s window exceeds the limit.
local function clock_of(at, limit, burst)
  if not limit then return nil end
  burst = burst or limit * 0.01
  local refill = math.max(limit - burst - 0.004 * limit, 0.5 * (limit - burst))
  return {at = at, per_unit = 60000 / refill, holds = math.max(burst, math.min(1.5, 1 + 0.012 * limit))}
end

-- ms until `cost` units fit, 0 for now; a cost above half of what the clock holds may overdraw one that is half full.
local function wait_for(clock, cost)
  if not clock then return 0 end
  local wait = clock.at - now - (clock.holds - math.min(cost, math.max(1, clock.holds / 2))) * clock.per_unit
  return wait > 0.01 and wait or 0 -- less is a rounding error
end

-- No single job, and no correction, closes a lane for more than ten minutes, whatever it claims to take.
local function charge(clock, cost)
  if not clock then return end
  clock.at = math.min(math.max(clock.at, now) + cost * clock.per_unit, now + 600000)
end

-- The limits of a lane: of the file, with what was changed since.
local function limits_of(name, model)
  local limit = {}
  for field, value in pairs(limits.lanes[name] or limits.models[model] or limits.default) do limit[field] = value end
  local set = redis.call('HGETALL', lane_settings_key(name))
  for i = 1, #set, 2 do
    if set[i] == 'requests_per_minute' then limit.burst = nil end -- a burst belongs to its own rate
  end
  for i = 1, #set, 2 do limit[set[i]] = set[i] ~= 'pause_reason' and tonumber(set[i + 1]) or set[i + 1] end
  return limit
end

local function open_clocks(lane, state, limit)
  lane.request_rate = bound_of(lane.name, 'requests', limit.requests_per_minute)
  lane.token_rate = bound_of(lane.name, 'tokens', limit.tokens_per_minute)
  local burst = limit.burst and limit.burst < (lane.request_rate or 0) and limit.burst or nil
  local share = burst and burst / lane.request_rate or 0.01
  lane.requests = clock_of(tonumber(state.requests or 0), lane.request_rate, burst)
  -- After a pause one call goes first, not all that the clock holds.
  if lane.requests then
    lane.requests.at = math.max(lane.requests.at, lane.paused_until + (lane.requests.holds - 1) * lane.requests.per_unit)
  end
  lane.tokens = clock_of(tonumber(state.tokens or 0), lane.token_rate, lane.token_rate and lane.token_rate * share)
  -- What ended since used more or less than was reserved for it.
  if lane.tokens and state.settled then
    lane.tokens.at = math.min(lane.tokens.at + tonumber(state.settled) * lane.tokens.per_unit, now + 600000)
  end
end

-- In-flight follows a level that rises no faster than the ramp and sinks no faster either: a call that takes the place of
-- one that ended is no rise.
local function open_ramp(lane, state, ramp)
  if not ramp then return end
  local sunk = tonumber(state.level or 0) - ramp * (now - tonumber(state.level_at or now)) / 1000
  lane.level = math.max(lane.in_flight, sunk)
  -- A second may see all that it holds and what comes back meanwhile, which together are no more than the ramp.
  local holds = math.max(1, ramp / 10)
  lane.ramp = {at = tonumber(state.ramp or 0), per_unit = 1000 / (ramp - holds + 1), holds = holds}
end

local function open_probe(lane, state)
  lane.probe, lane.probe_job, lane.probe_at = state.probe, state.probe_job, tonumber(state.probe_at or now)
  if not lane.probe_job then return end
  if redis.call('SISMEMBER', slots_key(lane.name), lane.probe_job) == 0 then lane.probe_job = nil
  elseif lane.probe and now - lane.probe_at >= PROBE_MS then
    redis.call('HDEL', lane_key(lane.name), 'probe', 'probe_job', 'faults', 'openings')
    tell(lane.name, 'a call stays up; it is open again')
    lane.probe = nil
  end
end

local opened = {}
local function open_lane(account, model)
  local name = account .. ':' .. model
  if opened[name] then return opened[name] end
  local state = fields_of(lane_key(name), 'requests', 'tokens', 'ramp', 'level', 'level_at', 'paused_until', 'pause_reason',
    'probe', 'probe_job', 'probe_at', 'settled')
  local limit = limits_of(name, model)
  local lane = {name = name, paused_until = tonumber(state.paused_until or 0), pause_reason = state.pause_reason or '',
    in_flight = redis.call('SCARD', slots_key(name)), starts = 0, start_tokens = 0}
  if limit.paused_until and (limit.paused_until == 'resumed' or limit.paused_until > now) then
    lane.stopped, lane.stop_reason = limit.paused_until, limit.pause_reason
  end
  lane.room = math.floor(bound_of(name, 'width', limit.in_flight, 60))
  open_clocks(lane, state, limit)
  open_ramp(lane, state, limit.ramp_per_second)
  open_probe(lane, state)
  opened[name] = lane
  return lane
end

local function save(lane)
  local key = lane_key(lane.name)
  redis.call('HDEL', key, 'settled')
  redis.call('HSET', key, 'requests', lane.requests and lane.requests.at or 0, 'tokens', lane.tokens and lane.tokens.at or 0,
    'requests_rate', lane.request_rate or '', 'tokens_rate', lane.token_rate or '')
  if lane.ramp then redis.call('HSET', key, 'ramp', lane.ramp.at, 'level', lane.level, 'level_at', now) end
  if lane.starts > 0 then
    redis.call('ZADD', prefix .. 'lanes', int(now), lane.name)
    count_starts(lane.name, int(second), lane.starts, lane.start_tokens)
  end
  keep(lane.name, lane.paused_until)
end

-- ms until `cost` more tokens keep the last 60 s within the limit, whatever the clock holds: large jobs overdraw it.
local function window_wait(lane, cost)
  if not lane.tokens or cost <= lane.tokens.holds / 2 then return 0 end
  lane.window = lane.window or starts_of(lane.name, 'tokens')
  local room, sum = lane.token_rate - math.min(cost, lane.token_rate), lane.start_tokens
  for _, start in ipairs(lane.window) do sum = sum + start[2] end
  for _, start in ipairs(lane.window) do
    if sum <= room then return 0 end
    sum = sum - start[2]
    if sum <= room then return math.max(0, (start[1] + 61) * 1000 - now) end
  end
  return sum <= room and 0 or 1000
end

-- Whether the job may start in the lane now: nil, or the reason why not and the ms to wait (-1: until something ends).
local function obstacle(lane, job)
  if lane.stopped then
    return 'lane_paused: ' .. lane.stop_reason, lane.stopped == 'resumed' and -1 or lane.stopped - now
  end
  if lane.paused_until > now then return 'lane_paused: ' .. lane.pause_reason, lane.paused_until - now end
  if lane.in_flight >= lane.room then return 'in_flight', -1 end
  if lane.probe and lane.probe_job then return 'lane_paused: ' .. lane.pause_reason, lane.probe_at + PROBE_MS - now end
  if job.upstream then return nil end
  if lane.ramp and lane.in_flight >= lane.level then
    local wait = wait_for(lane.ramp, 1)
    if wait > 0 then return 'ramp', wait end
  end
  local wait = wait_for(lane.requests, 1)
  if wait > 0 then return 'rate_limit_requests', wait end
  wait = math.max(wait_for(lane.tokens, job.tokens), window_wait(lane, job.tokens))
  if wait > 0 then return 'rate_limit_tokens', wait end
end

-- Backlogs: what waits for one model, on any account (`*:MODEL`) or on one --------------------------------------------

local function accounts_of(account, model)
  local found = {}
  for _, known in ipairs(limits.accounts) do
    local serves = not known.models
    for _, name in ipairs(known.models or {}) do serves = serves or name == model end
    if account == known.name or (account == '*' and serves) then table.insert(found, known.name) end
  end
  return found
end

local function open_backlog(name)
  local account, model = name:match('^([^:]*):(.*)$')
  for _, project in ipairs(redis.call('ZRANGEBYSCORE', parked_key(name), '-inf', int(now))) do unpark(project) end
  return {name = name, model = model, accounts = accounts_of(account, model)}
end

local projects = {}
local function open_project(name)
  if not projects[name] then
    local project = project_of(name)
    project.in_flight = project.max_in_flight and redis.call('SCARD', project_slots_key(name)) or 0
    project.overspent_until = overspent_until(name, project)
    projects[name] = project
  end
  return projects[name]
end

-- The job at the head of the backlog: the first of the project served least, of those that may take more.
local function head(backlog)
  while true do
    local first = redis.call('ZRANGE', projects_key(backlog.name), 0, 0, 'WITHSCORES')
    local name = first[1]
    if not name then return nil end
    local project = open_project(name)
    local n = redis.call('ZRANGE', queue_key(backlog.name, name), 0, 0)[1]
    if not n then redis.call('ZREM', projects_key(backlog.name), name)
    elseif project.overspent_until then park(backlog.name, name, 'budget', project.overspent_until)
    elseif project.in_flight >= (project.max_in_flight or math.huge) then park(backlog.name, name, 'in_flight', nil)
    else
      local job = read(n, 'stage', 'tokens', 'upstream')
      if job.stage == 'waiting' then
        return {n = n, project = name, service = tonumber(first[2]), tokens = tonumber(job.tokens), upstream = job.upstream}
      end
      redis.call('ZREM', queue_key(backlog.name, name), n)
    end
  end
end

-- The job of the backlog that may go now and its lane, or nil with the reason and the ms to wait
-- (-1: until something ends; no reason: nobody in the backlog has a turn).
local function next_of(backlog)
  local job = head(backlog)
  if not job then
    local first = redis.call('ZRANGE', parked_key(backlog.name), 0, 0, 'WITHSCORES')
    return nil, nil, '', first[1] and first[2] ~= 'inf' and tonumber(first[2]) - now or -1, first[1] == nil
  end
  -- Another limits file may come with another worker: it is looked at again.
  local reason, wait = 'lane_paused: no account has the model', backlog.accounts[1] and -1 or 30000
  for place, account in ipairs(backlog.accounts) do
    local lane = open_lane(account, backlog.model)
    local why, ms = obstacle(lane, job)
    if not why then return job, lane end
    if place == 1 or (ms >= 0 and (wait < 0 or ms < wait)) then reason, wait = why, ms end
  end
  return nil, nil, reason, wait, false
end

-- Backlogs take turns, the one served longest ago first; its score is when it was served or when it may go again.
local function rest(backlog, reason, wait, empty)
  if empty then
    redis.call('ZREM', prefix .. 'backlogs', backlog.name)
  elseif reason ~= 'no_worker' or backlog.served then
    local at = reason == 'no_worker' and int(now_us) or (wait < 0 and '+inf' or int((now + wait) * 1000))
    redis.call('ZADD', prefix .. 'backlogs', at, backlog.name)
  end
  redis.call('HSET', backlog_key(backlog.name), 'blocked', reason)
  if backlog.served then
    redis.call('HSET', backlog_key(backlog.name), 'service', backlog.service, 'served', int(backlog.served))
  end
  redis.call('PEXPIRE', backlog_key(backlog.name), int(DAY))
end

-- Release -------------------------------------------------------------------------------------------------------------

-- A job counts as one request, or as many as its tokens take of the lane's minute, if that is more.
local function service_of(lane, job)
  if job.upstream then return 0 end
  if not lane.request_rate or not lane.token_rate then return 1 end
  return math.max(1, job.tokens * lane.request_rate / lane.token_rate)
end

local function take_from(lane, job)
  lane.in_flight = lane.in_flight + 1
  if lane.probe then
    lane.probe_job, lane.probe_at = job.n, now
    redis.call('HSET', lane_key(lane.name), 'probe_job', job.n, 'probe_at', int(now))
  end
  if job.upstream then return end
  if lane.ramp and lane.in_flight > lane.level then
    charge(lane.ramp, 1)
    lane.level = lane.in_flight
  end
  charge(lane.requests, 1)
  charge(lane.tokens, job.tokens)
  lane.starts, lane.start_tokens = lane.starts + 1, lane.start_tokens + job.tokens
  redis.call('HSET', job_key(job.n), 'reserved', job.tokens)
end

local dispatch = nil
local function release(backlog, lane, job)
  local worker, n, project = least_busy(), job.n, projects[job.project]
  if not dispatch then dispatch = int(redis.call('HINCRBY', prefix .. 'counters', 'dispatches', 1)) end
  redis.call('ZREM', queue_key(backlog.name, job.project), n)
  redis.call('ZADD', projects_key(backlog.name), job.service + service_of(lane, job) / (project.weight or 1), job.project)
  redis.call('SADD', slots_key(lane.name), n)
  redis.call('SADD', project_slots_key(job.project), n)
  redis.call('SADD', worker_jobs_key(worker.id), n)
  redis.call('ZADD', prefix .. 'dispatched', int(now + tonumber(ARGV[6])), n)
  redis.call('HSET', job_key(n), 'stage', 'dispatched', 'dispatch', dispatch, 'worker', worker.id, 'lane', lane.name,
    'released', int(now))
  table.insert(worker.jobs, n)
  worker.room, free = worker.room - 1, free - 1
  project.in_flight = project.in_flight + 1
  backlog.service = job.service
  take_from(lane, job)
end

local backlogs = {}
for i, name in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'backlogs', '-inf', int(now_us), 'LIMIT', 0, 256)) do
  backlogs[i] = open_backlog(name)
end
local left, turn = tonumber(ARGV[5]), 1
while #backlogs > 0 and left > 0 do
  if turn > #backlogs then turn = 1 end
  local backlog = backlogs[turn]
  local job, lane, reason, wait, empty = next_of(backlog)
  if job and free > 0 then
    release(backlog, lane, job)
    left, turn = left - 1, turn + 1
    backlog.served = now_us - left -- those served in one run have an order, too
  else
    table.remove(backlogs, turn)
    rest(backlog, job and 'no_worker' or reason, wait, empty)
  end
end
for _, backlog in ipairs(backlogs) do rest(backlog, '', 0, false) end
for _, lane in pairs(opened) do save(lane) end

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
local changes = redis.call('LRANGE', prefix .. 'lane_changes', 0, -1)
if #changes > 0 then redis.call('DEL', prefix .. 'lane_changes') end
local wait = -1
if #backlogs > 0 then wait = 0
elseif free > 0 then
  local first = redis.call('ZRANGE', prefix .. 'backlogs', 0, 0, 'WITHSCORES')
  if first[2] and first[2] ~= 'inf' then wait = math.max(0, math.ceil(tonumber(first[2]) / 1000 - now)) end
end
return {1, tonumber(ARGV[5]) - left, wait, changes}
