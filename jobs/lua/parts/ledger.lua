-- What attempts came to: their entries, the tokens they took, the usage of a day.

local function usage_key(project) return prefix .. 'usage:' .. project .. ':' .. int(math.floor(now / DAY)) end

-- Adds to the day on which it became known: `{name: count}` of jobs by end or of tokens by kind.
local function book(n, counts)
  local job = read(n, 'project', 'model', 'api_key')
  local usage = usage_key(job.project)
  for name, value in pairs(counts) do
    redis.call('HINCRBY', usage, job.model .. '\n' .. job.api_key .. '\n' .. name, int(value))
  end
  redis.call('PEXPIRE', usage, int(400 * DAY))
end

-- Writes how the attempt went into its entry, and answers whether that was news. One that was given up for lost
-- is corrected by what it turned out to be; a closed one takes no more than the usage that came late.
local function write_entry(n, attempt, fields)
  local key = attempts_key(n)
  for place = -1, -redis.call('LLEN', key), -1 do
    local entry = cjson.decode(redis.call('LINDEX', key, place))
    if entry.number == attempt then
      local open = entry.outcome == 'running' or entry.outcome == 'lost'
      if not open and (entry.usage or not fields.usage) then return false end
      for name, value in pairs(open and fields or {usage = fields.usage, may_be_billed = true}) do entry[name] = value end
      entry.finished_at = entry.finished_at or now
      redis.call('LSET', key, place, cjson.encode(entry))
      return true
    end
  end
  return false
end

-- Closes an attempt: its entry, its tokens (`{name: count}` or nil), and what the lane had reserved for it.
-- Answers whether that was news. An attempt that may be billed for an unknown amount keeps what was reserved.
local function close_attempt(n, attempt, fields, tokens)
  if not write_entry(n, attempt, fields) then return false end
  if tokens then book(n, tokens) end
  if tonumber(redis.call('HGET', job_key(n), 'attempt') or 0) == attempt then
    if tokens then settle(n, tokens.total_tokens or 0)
    elseif not fields.may_be_billed then settle(n, 0) end
  end
  return true
end
