-- What attempts came to: their entries, the tokens they took, the usage of a day.

local function usage_key(project) return prefix .. 'usage:' .. project .. ':' .. int(today) end

-- Adds to the day on which it became known: `{name: count}` of jobs by end, of tokens by kind, or of cost.
local function book(n, counts)
  local job = read(n, 'project', 'model', 'api_key')
  local usage = usage_key(job.project)
  for name, value in pairs(counts) do
    redis.call('HINCRBY', usage, job.model .. '\n' .. job.api_key .. '\n' .. name, int(value))
  end
  redis.call('PEXPIRE', usage, int(400 * DAY))
end

-- What the other attempts at the same response of the upstream (a worker that was cut off, and its successor) have
-- brought: whether its usage is known, and how many had it assumed; that is taken back, since it is paid for once.
local function take_over(n, entry)
  local key, known, assumed = attempts_key(n), false, 0
  if not entry.upstream_response_id then return known, assumed end
  for place, text in ipairs(redis.call('LRANGE', key, 0, -1)) do
    local other = cjson.decode(text)
    if other.number ~= entry.number and other.upstream_response_id == entry.upstream_response_id then
      known = known or other.usage ~= nil
      if other.assumed then
        assumed, other.assumed = assumed + 1, nil
        redis.call('LSET', key, place - 1, cjson.encode(other))
      end
    end
  end
  return known, assumed
end

-- Writes how the attempt went into its entry. Answers whether that was news, whether another attempt has booked the same
-- response, and how many times more (or less) than before an estimate is assumed. One that was given up for lost, or goes on
-- upstream, is corrected by what it turned out to be; a closed one takes no more than the usage that came late.
local function write_entry(n, attempt, fields)
  local key = attempts_key(n)
  for place = -1, -redis.call('LLEN', key), -1 do
    local entry = cjson.decode(redis.call('LINDEX', key, place))
    if entry.number == attempt then
      local open = entry.outcome == 'running' or entry.outcome == 'lost' or entry.goes_on
      if not open and (entry.usage or not fields.usage) then return false end
      local before = entry.assumed and 1 or 0
      entry.goes_on = nil
      for name, value in pairs(open and fields or {usage = fields.usage, may_be_billed = true}) do entry[name] = value end
      entry.finished_at = entry.finished_at or now
      local booked, assumed = false, 0
      if entry.may_be_billed then booked, assumed = take_over(n, entry) end
      -- What may be billed for an unknown amount is taken for what was estimated, until its usage is known.
      entry.assumed = entry.may_be_billed and not entry.usage and not booked or nil
      redis.call('LSET', key, place, cjson.encode(entry))
      return true, booked, (entry.assumed and 1 or 0) - before - assumed
    end
  end
  return false
end

-- Closes an attempt: its entry, its tokens (`{name: count}` or nil), and what the lane had reserved for it.
-- Answers whether that was news. One that may be billed for an unknown amount, or goes on upstream, keeps what was reserved.
local function close_attempt(n, attempt, fields, tokens)
  local news, booked, assumed = write_entry(n, attempt, fields)
  if not news then return false end
  local job = read(n, 'project', 'tokens', 'nano_held', 'attempt', 'upstream')
  local used, nano = 0, 0
  if tokens and not booked then
    book(n, tokens)
    used, nano = tokens.total_tokens or 0, tokens.cost_nano or 0
    redis.call('HINCRBY', job_key(n), 'nano', int(nano))
  end
  spend(job.project, used + assumed * tonumber(job.tokens), nano + assumed * tonumber(job.nano_held))
  if tonumber(job.attempt or 0) == attempt then
    if tokens then settle(n, tokens.total_tokens or 0)
    elseif not fields.may_be_billed and not job.upstream then settle(n, 0) end
  end
  return true
end
