#!lua flags=allow-oom
-- Parts: base batch
-- Gives a batch back, to be looked at again later.
-- KEYS: 1 batch:B   ARGV: 1 prefix  2 B  3 runner  4 status that it takes the batch for  5 ms until then  6 why its lines wait, or ''
-- Returns 'rests' | 'lost'. Twice: 'lost', and nothing more.
if not runs(ARGV[2], ARGV[3], ARGV[4]) then return 'lost' end
redis.call('HSET', KEYS[1], 'reason', ARGV[6])
redis.call('HDEL', KEYS[1], 'runner')
look_at_batch(ARGV[2], now + ARGV[5])
return 'rests'
