-- What a project may take: its limits, what it has spent, and what is held for its jobs that have not ended.

local LIMITS = {'weight', 'max_queued', 'max_in_flight', 'submits_per_minute', 'tokens_per_day', 'tokens_per_month',
  'nano_per_day', 'nano_per_month'}

-- Limits as numbers, plus `submits` (the clock of its submits), `held_tokens` and `held_nano`.
local function project_of(name)
  local found = fields_of(project_key(name), 'submits', 'held_tokens', 'held_nano', unpack(LIMITS))
  for field, value in pairs(found) do found[field] = tonumber(value) end
  return found
end

-- The months since the year 0 in which a day, counted from 1970-01-01, lies.
local function month_of(day)
  local shifted = day + 719468
  local era = math.floor(shifted / 146097)
  local in_era = shifted - era * 146097
  local year = math.floor((in_era - math.floor(in_era / 1460) + math.floor(in_era / 36524) - math.floor(in_era / 146096)) / 365)
  local in_year = in_era - (365 * year + math.floor(year / 4) - math.floor(year / 100))
  local from_march = math.floor((5 * in_year + 2) / 153)
  return (year + era * 400) * 12 + from_march + 2
end

local today = math.floor(now / DAY)

-- The present day and month: `key` names what was spent in it, `ends` is when it is over.
local this_month, next_month = nil, today + 1
local function periods(project)
  this_month = this_month or month_of(today)
  while month_of(next_month) == this_month do next_month = next_month + 1 end
  local key = prefix .. 'spent:' .. project .. ':'
  return {
    day = {key = key .. 'day' .. int(today), ends = (today + 1) * DAY, kept = 2 * DAY},
    month = {key = key .. 'month' .. int(this_month), ends = next_month * DAY, kept = 33 * DAY},
  }
end

-- Adds to what the project has spent.
local function spend(project, tokens, nano)
  if tokens == 0 and nano == 0 then return end
  for _, period in pairs(periods(project)) do
    if tokens ~= 0 then add_to(period.key, 'tokens', tokens) end
    if nano ~= 0 then add_to(period.key, 'nano', nano) end
    keep_for(period.key, period.kept)
  end
end

-- Takes back what was assumed on a day, from that day and its month as long as they are kept.
local function take_back(project, tokens, nano, day)
  local key = prefix .. 'spent:' .. project .. ':'
  for _, period in ipairs({key .. 'day' .. int(day), key .. 'month' .. int(month_of(day))}) do
    if redis.call('EXISTS', period) == 1 then
      add_to(period, 'tokens', -tokens)
      add_to(period, 'nano', -nano)
    end
  end
  if is_blocked(project) then unpark(project) end
end

local function hold(project, tokens, nano)
  if tokens ~= 0 then add_to(project_key(project), 'held_tokens', tokens) end
  if nano ~= 0 then add_to(project_key(project), 'held_nano', nano) end
end

-- Each budget that the project has: {name, bound, left, ends}; `left` is what is neither spent nor held.
local function budgets(name, project)
  local found = {}
  if not (project.tokens_per_day or project.tokens_per_month or project.nano_per_day or project.nano_per_month) then
    return found
  end
  for which, period in pairs(periods(name)) do
    for _, unit in ipairs({'tokens', 'nano'}) do
      local bound = project[unit .. '_per_' .. which]
      if bound then
        local spent = tonumber(redis.call('HGET', period.key, unit) or 0)
        table.insert(found, {name = unit .. '_per_' .. which, unit = unit, bound = bound, ends = period.ends,
          unspent = bound - spent, left = bound - spent - (project['held_' .. unit] or 0)})
      end
    end
  end
  return found
end

-- Until when none of the project's jobs may start, since a budget is used up; nil if they may.
local function overspent_until(name, project)
  local latest = nil
  for _, budget in ipairs(budgets(name, project)) do
    if budget.unspent < 0 or (budget.unspent == 0 and budget.bound > 0) then latest = math.max(latest or 0, budget.ends) end
  end
  return latest
end

-- ms until the project may submit again by its submits a minute: a bucket that holds a minute's worth.
local function submit_wait(project, share)
  local held = math.max(1, math.floor(project.submits_per_minute * share)) -- of a minute's worth, what this may use
  local wait = (project.submits or 0) - now - (held - 1) * 60000 / project.submits_per_minute
  return wait > 0.01 and wait or 0 -- what is less is the rounding of the clock
end

-- What is left of the limits that a caller can see, as JSON {requests, tokens}: each {limit, remaining, reset ms}.
local function headroom(name)
  local project, room = project_of(name), {}
  local limit = project.submits_per_minute
  if limit then
    local behind = math.max(0, (project.submits or 0) - now)
    local remaining = math.max(0, math.min(limit, math.floor((60000 - behind) * limit / 60000 + 0.001)))
    room.requests = {limit = limit, remaining = remaining, reset = math.ceil(behind)}
  end
  local tightest = nil
  for _, budget in ipairs(budgets(name, project)) do
    if budget.unit == 'tokens' and (not tightest or budget.left < tightest.left) then tightest = budget end
  end
  if tightest then
    room.tokens = {limit = tightest.bound, remaining = math.max(0, tightest.left), reset = tightest.ends - now}
  end
  return cjson.encode(room)
end

-- Takes what a new job of the project needs, all or nothing, within `share` of its max_queued and of its submits a minute.
-- Answers nil, or the limit that is in the way: its name, its bound, and the ms after which it may be tried again (-1: never).
local function admit(name, tokens, nano, share)
  local project = project_of(name)
  local queued = project.max_queued and redis.call('ZCARD', index_key(name, 'queued'))
  if queued and queued >= math.min(project.max_queued, math.max(1, math.floor(project.max_queued * share))) then
    return {'max_queued', int(project.max_queued), '5000'}
  end
  local needed = {tokens = tokens, nano = nano}
  for _, budget in ipairs(budgets(name, project)) do
    local need = needed[budget.unit]
    if need > budget.left then
      -- What others hold comes free as they end; what is spent, with the period; and too much for all of it, never.
      local wait = need > budget.bound and -1 or need <= budget.unspent and 60000 or budget.ends - now
      return {budget.name, int(budget.bound), int(wait)}
    end
  end
  if project.submits_per_minute then
    local wait = submit_wait(project, share)
    if wait > 0 then return {'submits_per_minute', int(project.submits_per_minute), int(math.ceil(wait))} end
    local clock_at = math.max(project.submits or 0, now) + 60000 / project.submits_per_minute
    redis.call('HSET', project_key(name), 'submits', clock_at)
  end
  hold(name, tokens, nano)
end
