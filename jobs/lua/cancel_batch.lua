#!lua flags=allow-oom
-- Parts: base batch
-- Cancels a batch whose lines are not all through. Whoever runs it loses it, so no line goes after this.
-- KEYS: 1 batch:B   ARGV: 1 prefix  2 B
-- Returns 'cancelling' | its status, which stays | 'missing'. Twice: 'cancelling'.
local status = redis.call('HGET', KEYS[1], 'status')
if not status then return 'missing' end
if status ~= 'validating' and status ~= 'in_progress' then return status end
redis.call('HSET', KEYS[1], 'status', 'cancelling', 'cancelling_at', int(now), 'reason', '')
redis.call('HDEL', KEYS[1], 'runner')
look_at_batch(ARGV[2], now)
return 'cancelling'
