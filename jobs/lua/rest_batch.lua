#!lua flags=allow-oom
-- Parts: base batch
-- Gives a batch back, to be looked at again later; soon, if nothing runs any more that it might have waited for.
-- KEYS: 1 batch:B   ARGV: 1 prefix  2 B  3 runner  4 status that it takes the batch for  5 ms until then  6 why its lines wait, or ''
-- Returns 'rests' | 'lost'. Twice: 'lost', and nothing more.
if not runs(ARGV[2], ARGV[3], ARGV[4]) then return 'lost' end
redis.call('HSET', KEYS[1], 'reason', ARGV[6])
redis.call('HDEL', KEYS[1], 'runner')
local rest = tonumber(ARGV[5])
if ARGV[6] == '' and redis.call('SCARD', batch_running_key(ARGV[2])) == 0 then rest = math.min(rest, 500) end
look_at_batch(ARGV[2], now + rest)
return 'rests'
