#!lua flags=allow-oom
-- Parts: base batch
-- Has the files of a batch written: none of its lines runs, and no more will.
-- KEYS: 1 batch:B   ARGV: 1 prefix  2 B  3 runner
-- Returns 'finalizing' | 'lost' | 'running': some of its lines do. Twice: 'lost', and nothing more.
if not runs(ARGV[2], ARGV[3], 'in_progress') then return 'lost' end
if redis.call('SCARD', batch_running_key(ARGV[2])) > 0 then return 'running' end
redis.call('HSET', KEYS[1], 'status', 'finalizing', 'finalizing_at', int(now), 'reason', '')
redis.call('HDEL', KEYS[1], 'runner')
look_at_batch(ARGV[2], now)
return 'finalizing'
