-- Lanes, one upstream account x one model each: opened once a script, asked whether a job may start, saved at the end.

-- Of the limits file, as the script was given them.
local limits = nil
-- A call that stays up for so long after its release has found its endpoint: connecting and being refused take less.
local probe_ms = 15000

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

-- What a clock owes at the old rate takes another time at the new one.
local function rescaled(at, old, new)
  at, old = tonumber(at or 0), tonumber(old)
  return at > now and old and new and now + (at - now) * old / new or at
end

local function open_clocks(lane, state, limit)
  lane.request_rate = bound_of(lane.name, 'requests', limit.requests_per_minute)
  lane.token_rate = bound_of(lane.name, 'tokens', limit.tokens_per_minute)
  local burst = limit.burst and limit.burst < (lane.request_rate or 0) and limit.burst or nil
  local share = burst and burst / lane.request_rate or 0.01
  lane.requests = clock_of(rescaled(state.requests, state.requests_rate, lane.request_rate), lane.request_rate, burst)
  -- After a pause one call goes first, not all that the clock holds.
  if lane.requests then
    lane.requests.at = math.max(lane.requests.at, lane.paused_until + (lane.requests.holds - 1) * lane.requests.per_unit)
  end
  lane.tokens = clock_of(rescaled(state.tokens, state.tokens_rate, lane.token_rate), lane.token_rate, lane.token_rate and lane.token_rate * share)
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
  elseif lane.probe and now - lane.probe_at >= probe_ms then
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
    'probe', 'probe_job', 'probe_at', 'settled', 'requests_rate', 'tokens_rate', 'kept_for', 'kept_until', 'kept_next')
  local limit = limits_of(name, model)
  local lane = {name = name, paused_until = tonumber(state.paused_until or 0), pause_reason = state.pause_reason or '',
    in_flight = redis.call('SCARD', slots_key(name)), starts = 0, start_tokens = 0,
    kept_for = state.kept_for, kept_until = tonumber(state.kept_until or 0), kept_next = state.kept_next}
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
  if lane.kept_for then redis.call('HSET', key, 'kept_for', lane.kept_for, 'kept_until', lane.kept_until)
  else redis.call('HDEL', key, 'kept_for', 'kept_until') end
  if lane.kept_next then redis.call('HSET', key, 'kept_next', lane.kept_next) else redis.call('HDEL', key, 'kept_next') end
  if lane.starts > 0 then
    redis.call('ZADD', prefix .. 'lanes', int(now), lane.name)
    redis.call('ZREMRANGEBYSCORE', prefix .. 'lanes', '-inf', int(now - DAY))
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

-- Whether a job, named with its backlog, still waits in another backlog than this.
local function waits_elsewhere(name, backlog)
  local n, its_backlog = (name or ''):match('^(%S+) (.*)$')
  return n and its_backlog ~= backlog and look_up(n, 'stage').stage == 'waiting'
end

-- ms until the tokens of a job fit. Whoever has waited longest for them is kept the next that come: jobs that take fewer would
-- else always go before it, from another backlog. One that asks meanwhile is kept those after them.
local function token_wait(lane, job, backlog)
  local name = job.n .. ' ' .. backlog
  if waits_elsewhere(lane.kept_for, backlog) and now < lane.kept_until + 1000 then
    lane.kept_next = name
    return math.max(1, lane.kept_until - now)
  end
  local wait = math.max(wait_for(lane.tokens, job.tokens), window_wait(lane, job.tokens))
  if wait > 0 then lane.kept_for, lane.kept_until = name, now + wait
  else lane.kept_for, lane.kept_until, lane.kept_next = lane.kept_next, now, nil end
  return wait
end

-- Whether the job may start in the lane now: nil, or the reason why not and the ms to wait (-1: until something ends).
local function obstacle(lane, job, backlog)
  if lane.stopped then
    return 'lane_paused: ' .. lane.stop_reason, lane.stopped == 'resumed' and -1 or lane.stopped - now
  end
  if lane.paused_until > now then return 'lane_paused: ' .. lane.pause_reason, lane.paused_until - now end
  if lane.in_flight >= lane.room then return 'in_flight', -1 end
  if job.upstream then return nil end -- it was begun long since, and asking for it costs nothing
  if lane.probe and lane.probe_job then return 'lane_paused: ' .. lane.pause_reason, lane.probe_at + probe_ms - now end
  if lane.ramp and lane.in_flight >= lane.level then
    local wait = wait_for(lane.ramp, 1)
    if wait > 0 then return 'ramp', wait end
  end
  local wait = wait_for(lane.requests, 1)
  if wait > 0 then return 'rate_limit_requests', wait end
  wait = token_wait(lane, job, backlog)
  if wait > 0 then return 'rate_limit_tokens', wait end
end
