-- What lanes have in common with the scripts that slow them down, open them and count what they let in.

-- A line for the log of whoever dispatches next; the oldest go when nobody does.
local function tell(lane, text)
  redis.call('LPUSH', prefix .. 'lane_changes', lane .. ': ' .. text)
  redis.call('LTRIM', prefix .. 'lane_changes', 0, 999)
  redis.call('PEXPIRE', prefix .. 'lane_changes', int(DAY))
end

-- Jobs wait for a lane in two backlogs: for its model on any account, and for this very lane. Both may go on now,
-- the one served longest ago first.
local function reopen(lane)
  for _, backlog in ipairs({'*:' .. lane:match('^[^:]*:(.*)$'), lane}) do
    local served = redis.call('HGET', backlog_key(backlog), 'served') or 0
    redis.call('ZADD', prefix .. 'backlogs', 'XX', 'LT', served, backlog)
  end
  wake()
end

-- Keeps a lane's state for a day beyond its last use, or beyond the end of its pause.
local function keep(lane, until_ms)
  redis.call('PEXPIRE', lane_key(lane), int(math.max(until_ms - now, 0) + DAY))
end

-- What the lane let in, by second: fields `requests:S` and `tokens:S`.
local function count_starts(lane, at_second, requests, tokens)
  if requests ~= 0 then redis.call('HINCRBY', starts_key(lane), 'requests:' .. at_second, int(requests)) end
  if tokens ~= 0 then redis.call('HINCRBY', starts_key(lane), 'tokens:' .. at_second, int(tokens)) end
  redis.call('PEXPIRE', starts_key(lane), 120000)
  if redis.call('HLEN', starts_key(lane)) < 280 then return end
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
