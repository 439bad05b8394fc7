#!lua flags=allow-oom
-- Parts: base metric webhook silence
-- Renews a sender's lease and tells the slots it offers.
-- ARGV: 1 prefix  2 sender  3 lease ms  4 slots (0 when it drains)  5 what to show of it, as JSON
-- Returns 1. Twice: the same.
local key = sender_key(ARGV[2])
local before = redis.call('HMGET', key, 'slots', 'beat')
redis.call('ZADD', prefix .. 'senders', int(now + tonumber(ARGV[3])), ARGV[2])
redis.call('HSET', key, 'slots', ARGV[4], 'about', ARGV[5], 'generation', GENERATION, 'beat', int(now))
redis.call('PEXPIRE', key, 600000)
if before[1] ~= ARGV[4] or silent(before[2]) then wake_deliveries() end
return 1
