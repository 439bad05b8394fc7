-- What attempts came to: their entries, the tokens they took, the usage of a day.

local function usage_key(project) return prefix .. 'usage:' .. project .. ':' .. int(today) end

-- Adds to the day on which it became known: `{name: count}` of jobs by end, of tokens by kind, or of cost.
local function book(n, counts)
  local job = read(n, 'project', 'model', 'api_key')
  local usage = usage_key(job.project)
  for name, value in pairs(counts) do sum_up(usage, job.model .. '\n' .. job.api_key .. '\n' .. name, value) end
  keep_for(usage, 400 * DAY)
end

-- What may be billed for an unknown amount is taken for what was estimated, until its usage is known.
local function assume(n, entry)
  local job = read(n, 'project', 'tokens', 'nano_held')
  spend(job.project, tonumber(job.tokens), tonumber(job.nano_held or 0))
  entry.assumed = today
end

local function unassume(n, entry)
  if not entry.assumed then return end
  local job = read(n, 'project', 'tokens', 'nano_held')
  take_back(job.project, tonumber(job.tokens), tonumber(job.nano_held or 0), entry.assumed)
  entry.assumed = nil
end

-- Whether another attempt at the same response of the upstream (a worker that was cut off, and its successor) has brought
-- its usage; what the others had assumed of it is taken back, since it is paid for once.
local function is_known(n, entry)
  local key, known = attempts_key(n), false
  if not entry.upstream_response_id then return false end
  if entry.number == 1 and record(n).attempt == '1' then return false end -- there is no other
  for place, text in ipairs(redis.call('LRANGE', key, 0, -1)) do
    local other = cjson.decode(text)
    if other.number ~= entry.number and other.upstream_response_id == entry.upstream_response_id then
      known = known or other.usage ~= nil
      if other.assumed then
        unassume(n, other)
        redis.call('LSET', key, place - 1, cjson.encode(other))
      end
    end
  end
  return known
end

-- Counts how the attempt went, and how long it took from its claim on if the endpoint answered.
local function meter_attempt(entry, fields)
  local lane, status = counted_as(entry.lane), tonumber(fields.http_status)
  local silent = {sent = 'no_answer', not_sent = 'not_sent', answered = '2xx'}
  local ended_so = {lost = 'lost', cancelled = 'cancelled'}
  meter('attempts\n' .. (status and class_of(status) or ended_so[fields.outcome] or silent[fields.delivery] or 'unknown') .. '\n' .. lane, 1)
  if fields.delivery == 'answered' then meter_time('upstream', '\n' .. lane, now - tonumber(entry.started_at)) end
end

local function meter_usage(lane, tokens)
  for _, kind in ipairs({'input', 'output', 'cached', 'reasoning'}) do
    meter('tokens\n' .. kind .. '\n' .. counted_as(lane), tokens[kind .. '_tokens'] or 0)
  end
  meter('cost_nano\n' .. counted_as(lane), tokens.cost_nano or 0)
end

-- Writes how the attempt went into its entry. Answers whether that was news, and whether another attempt has booked the same
-- response. One that was given up for lost, or goes on upstream, is corrected by what it turned out to be; a closed one
-- takes no more than the usage that came late.
local function write_entry(n, attempt, fields)
  local key = attempts_key(n)
  for place = -1, -redis.call('LLEN', key), -1 do
    local entry = cjson.decode(redis.call('LINDEX', key, place))
    if entry.number == attempt then
      local open = entry.outcome == 'running' or entry.outcome == 'lost' or entry.goes_on
      if not open and (entry.usage or not fields.usage) then return false end
      unassume(n, entry)
      if not entry.finished_at then meter_attempt(entry, fields) end
      entry.goes_on = nil
      for name, value in pairs(open and fields or {usage = fields.usage, may_be_billed = true}) do entry[name] = value end
      entry.finished_at = entry.finished_at or now
      local known = entry.may_be_billed and is_known(n, entry)
      if entry.may_be_billed and not entry.usage and not known then assume(n, entry) end
      redis.call('LSET', key, place, cjson.encode(entry))
      return true, known
    end
  end
  return false
end

-- Closes an attempt: its entry, its tokens (`{name: count}` or nil), and what the lane had reserved for it.
-- Answers whether that was news. One that may be billed for an unknown amount, or goes on upstream, keeps what was reserved.
local function close_attempt(n, attempt, fields, tokens)
  fields.kind = nil -- for the counts alone
  local news, booked = write_entry(n, attempt, fields)
  if not news then return false end
  local job = read(n, 'project', 'attempt', 'upstream', 'lane')
  if tokens and not booked then
    book(n, tokens)
    meter_usage(job.lane, tokens)
    spend(job.project, tokens.total_tokens or 0, tokens.cost_nano or 0)
    if (tokens.cost_nano or 0) ~= 0 then add_to(job_key(n), 'nano', tokens.cost_nano) end
  end
  if tonumber(job.attempt or 0) == attempt then
    if tokens then settle(n, tokens.total_tokens or 0)
    elseif not fields.may_be_billed and not job.upstream then settle(n, 0) end
  end
  return true
end
