#!lua flags=allow-oom
-- Slows a lane down after its upstream said so; at most once a second for rate and width, so a volley of refusals counts once.
-- A lane without a rate to cut is cut in width.
-- KEYS: 1 lane:L
-- ARGV: 1 prefix  2 lane  3 ms to pause  4 reason  5 what to cut: 'rate', 'width', 'account' (nothing may go but one probe) or ''
-- Returns the ms until which the lane is paused. Twice: cuts once.
local until_ms = math.max(tonumber(redis.call('HGET', KEYS[1], 'paused_until') or 0), now + tonumber(ARGV[3]))
redis.call('HSET', KEYS[1], 'paused_until', int(until_ms), 'pause_reason', ARGV[4])
local function cut(field, value)
  local at = tonumber(redis.call('HGET', KEYS[1], field .. '_at') or 0)
  if now - at >= 1000 then redis.call('HSET', KEYS[1], field, value, field .. '_at', int(now)) end
end
local rated = tonumber(redis.call('HGET', KEYS[1], 'requests') or 0) > 0
if ARGV[5] == 'rate' and rated then
  local state = redis.call('HMGET', KEYS[1], 'factor', 'factor_at')
  local factor = math.min(1, tonumber(state[1] or 1) + 0.1 * (now - tonumber(state[2] or now)) / 10000)
  cut('factor', math.max(0.01, 0.7 * factor))
elseif ARGV[5] == 'rate' or ARGV[5] == 'width' then
  cut('cap', math.max(1, math.floor(0.7 * redis.call('SCARD', slots_key(ARGV[2])))))
elseif ARGV[5] == 'account' then
  redis.call('HSET', KEYS[1], 'probe', '1')
end
redis.call('PEXPIRE', KEYS[1], int(until_ms - now + DAY))
redis.call('ZADD', prefix .. 'lanes', 'XX', int(until_ms * 1000), ARGV[2])
return until_ms
