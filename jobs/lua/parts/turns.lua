-- Backlogs: what waits for one model, on any account (`*:MODEL`) or on one, and whose turn it is there.

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
  for _, project in ipairs(redis.call('ZRANGEBYSCORE', parked_key(name), '-inf', int(now), 'LIMIT', 0, 256)) do
    unpark(project)
  end
  local last = tonumber(redis.call('HGET', backlog_key(name), 'served') or 0)
  return {name = name, model = model, accounts = accounts_of(account, model), last = last}
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
    local job = n and look_up(n, 'stage', 'tokens', 'upstream', 'schema', 'lost') or {}
    if not n then redis.call('ZREM', projects_key(backlog.name), name)
    elseif job.stage ~= 'waiting' or too_new(job.schema) then redis.call('ZREM', queue_key(backlog.name, name), n)
    elseif project.overspent_until and not job.upstream then park(backlog.name, name, 'budget', project.overspent_until)
    elseif project.in_flight >= (project.max_in_flight or math.huge) then park(backlog.name, name, 'in_flight', nil)
    else
      return {n = n, project = name, service = tonumber(first[2]), tokens = tonumber(job.tokens), upstream = job.upstream,
        suspect = suspect(job.lost)}
    end
  end
end

-- The job of the backlog that may go now and its lane, or nil with the reason and the ms to wait
-- (-1: until something ends; no reason: nobody in the backlog has a turn).
local function next_of(backlog)
  local job = head(backlog)
  if not job then
    local first = redis.call('ZRANGE', parked_key(backlog.name), 0, 0, 'WITHSCORES')
    return nil, nil, '', first[1] and first[2] ~= 'inf' and math.max(0, tonumber(first[2]) - now) or -1, first[1] == nil
  end
  local reason, wait = 'lane_paused: no account has the model', -1
  for place, account in ipairs(backlog.accounts) do
    local lane = open_lane(account, backlog.model)
    local why, ms = obstacle(lane, job, backlog.name)
    if not why then return job, lane end
    if place == 1 or (ms >= 0 and (wait < 0 or ms < wait)) then reason, wait = why, ms end
  end
  return nil, nil, reason, wait, false
end

-- Backlogs take turns, the one served longest ago first; a score is when it was served or when it may go again. Whatever
-- it waits for, it is looked at every 30 s: another limits file may have come, or a width grown back.
local function rest(backlog, reason, wait, empty)
  if empty then
    redis.call('ZREM', prefix .. 'backlogs', backlog.name)
  elseif reason ~= 'no_worker' or backlog.served then
    local look = (wait or -1) < 0 and 30000 or math.min(wait, 30000)
    local at = reason == 'no_worker' and int(now_us) or int((now + look) * 1000)
    redis.call('ZADD', prefix .. 'backlogs', at, backlog.name)
  end
  redis.call('HSET', backlog_key(backlog.name), 'blocked', reason)
  if backlog.served then
    redis.call('HSET', backlog_key(backlog.name), 'service', backlog.service, 'served', int(backlog.served))
  end
  redis.call('PEXPIRE', backlog_key(backlog.name), int(DAY))
end
