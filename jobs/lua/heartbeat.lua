#!lua flags=allow-oom
-- Parts: base silence
-- Renews a worker process's lease and tells the slots it offers; one write however many jobs it runs.
-- ARGV: 1 prefix  2 worker id  3 lease ms  4 slots (0 when it drains)  5 what to show of it, as JSON
--       6… numbers of cancelled jobs that an earlier beat told it of
-- Returns the numbers of the other jobs that were cancelled under it, and responses that it is to cancel upstream, each as
-- `LANE newline ID`. Twice: the same numbers, other responses.
local key = worker_key(ARGV[2])
local before = redis.call('HMGET', key, 'slots', 'beat')
redis.call('ZADD', prefix .. 'workers', int(now + tonumber(ARGV[3])), ARGV[2])
redis.call('HSET', key, 'slots', ARGV[4], 'about', ARGV[5], 'generation', GENERATION, 'beat', int(now))
redis.call('PEXPIRE', key, 600000)
if before[1] ~= ARGV[4] or silent(before[2]) then wake() end
if #ARGV > 5 then redis.call('SREM', worker_cancels_key(ARGV[2]), unpack(ARGV, 6)) end
local orphans = {}
if ARGV[4] ~= '0' then
  for i = 1, 20 do orphans[i] = redis.call('RPOP', prefix .. 'upstream_cancels') or nil end
end
return {redis.call('SMEMBERS', worker_cancels_key(ARGV[2])), orphans}
