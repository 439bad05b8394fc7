#!lua flags=allow-oom
-- Parts: base batch
-- Leaves a batch that has ended and is tidied to its retention.
-- KEYS: 1 batch:B   ARGV: 1 prefix  2 B  3 runner  4 its status
-- Returns 'closed' | 'lost'. Twice: 'lost', and nothing more.
if not runs(ARGV[2], ARGV[3], ARGV[4]) then return 'lost' end
redis.call('HDEL', KEYS[1], 'runner')
look_at_batch(ARGV[2], tonumber(redis.call('HGET', KEYS[1], 'goes')))
return 'closed'
