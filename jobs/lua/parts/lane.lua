-- What lanes have in common with the scripts that slow them down, open them and count what they let in.

-- A line for the log of whoever dispatches next; the oldest go when nobody does.
local function tell(lane, text)
  redis.call('LPUSH', prefix .. 'lane_changes', lane .. ': ' .. text)
  redis.call('LTRIM', prefix .. 'lane_changes', 0, 999)
  redis.call('PEXPIRE', prefix .. 'lane_changes', int(DAY))
end

-- Jobs wait for a lane in two backlogs: for its model on any account, and for this very lane. Both may go on now,
-- the one served longest ago first.
local reopened = {}
local function reopen(lane)
  if reopened[lane] then return end
  reopened[lane] = true
  for _, backlog in ipairs({'*:' .. lane:match('^[^:]*:(.*)$'), lane}) do
    local served = redis.call('HGET', backlog_key(backlog), 'served') or 0
    redis.call('ZADD', prefix .. 'backlogs', 'XX', 'LT', served, backlog)
  end
  wake()
end

-- The endpoint answers: whatever was held against the lane is over. How long its slot was taken tells when others may start.
local heard = {}
local function hear(lane, taken_ms)
  if not heard[lane] then
    if redis.call('HGET', lane_key(lane), 'probe') then tell(lane, 'an answer came; it is open again') end
    redis.call('HDEL', lane_key(lane), 'probe', 'probe_job', 'faults', 'openings')
    heard[lane] = {}
  end
  table.insert(heard[lane], int(taken_ms))
end
table.insert(last_things, function()
  for lane, taken in pairs(heard) do
    redis.pcall('LPUSH', runs_key(lane), unpack(taken))
    redis.pcall('LTRIM', runs_key(lane), 0, 255)
    redis.pcall('PEXPIRE', runs_key(lane), int(DAY))
  end
end)

-- Keeps a lane's state for a day beyond its last use, or beyond the end of its pause.
local function keep(lane, until_ms)
  redis.call('PEXPIRE', lane_key(lane), int(math.max(until_ms - now, 0) + DAY))
end

-- What the lane let in, by second: fields `requests:S` and `tokens:S`.
local trimmed = {}
local function count_starts(lane, at_second, requests, tokens)
  if requests ~= 0 then redis.call('HINCRBY', starts_key(lane), 'requests:' .. at_second, int(requests)) end
  if tokens ~= 0 then redis.call('HINCRBY', starts_key(lane), 'tokens:' .. at_second, int(tokens)) end
  keep_for(starts_key(lane), 120000)
  if trimmed[lane] or redis.call('HLEN', starts_key(lane)) < 280 then return end
  trimmed[lane] = true
  for _, field in ipairs(redis.call('HKEYS', starts_key(lane))) do
    if tonumber(field:match(':(%d+)$')) < second - 65 then redis.call('HDEL', starts_key(lane), field) end
  end
end

-- What was let in by second, oldest first, as {second, number}; `kind` is requests or tokens.
local function starts_of(lane, kind)
  local found, flat = {}, redis.call('HGETALL', starts_key(lane))
  for i = 1, #flat, 2 do
    local at = flat[i]:match('^' .. kind .. ':(%d+)$')
    if at and tonumber(at) > second - 61 then table.insert(found, {tonumber(at), tonumber(flat[i + 1])}) end
  end
  table.sort(found, function(one, other) return one[1] < other[1] end)
  return found
end
