#!lua flags=allow-oom
-- Parts: base batch
-- Lets the lines of a batch go: its file is valid.
-- KEYS: 1 batch:B   ARGV: 1 prefix  2 B  3 runner  4 requests in its file  5 their model
-- Returns 'begun' | 'lost'. Twice: 'lost', and nothing more.
if not runs(ARGV[2], ARGV[3], 'validating') then return 'lost' end
redis.call('HSET', KEYS[1], 'status', 'in_progress', 'in_progress_at', int(now), 'total', ARGV[4], 'model', ARGV[5])
redis.call('HDEL', KEYS[1], 'runner')
look_at_batch(ARGV[2], now)
return 'begun'
