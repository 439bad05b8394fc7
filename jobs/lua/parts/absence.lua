-- Who may be taken for dead: not who could not beat.

-- For how many ms leases said nothing, since nobody could renew one: nobody swept, so Redis was away or all who sweep were;
-- its clock has jumped; or this server has only just begun, or taken over. nil where all was well. `name` is the counter
-- that holds when it was last swept; the second answer is what it held.
local function absence(name, lease_ms)
  local info = redis.pcall('INFO', 'server')
  local run = type(info) == 'string' and info:match('run_id:(%x+)') or ''
  local before = redis.call('HMGET', prefix .. 'counters', name, name .. '_in')
  redis.call('HSET', prefix .. 'counters', name, int(now), name .. '_in', run)
  local swept = tonumber(before[1] or 0)
  if math.abs(now - swept) > lease_ms / 2 or run ~= (before[2] or run) then return now - swept, swept end
end

-- Whoever had beaten shortly before gets as long as after a beat to show up before anything is taken from him. To who was
-- silent by then the absence does not count; after a jump back nobody can tell who that was. Who left has no lease.
local function renew_all(leases, key_of, lease_ms, absent_ms, swept)
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', prefix .. leases, '(0', '+inf')) do
    local beat = tonumber(redis.call('HGET', key_of(name), 'beat') or swept)
    local left = redis.call('ZSCORE', prefix .. leases, name) + absent_ms
    local whole = absent_ms < 0 or beat > swept - SILENT_MS or left > now + lease_ms
    redis.call('ZADD', prefix .. leases, int(whole and now + lease_ms or left), name)
  end
end

-- The same for what is released and was to be claimed by now.
local function renew_due(releases, claim_ms)
  for _, n in ipairs(redis.call('ZRANGEBYSCORE', prefix .. releases, '-inf', int(now))) do
    redis.call('ZADD', prefix .. releases, int(now + claim_ms), n)
  end
end
