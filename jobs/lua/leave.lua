#!lua flags=allow-oom
-- Parts: base metric lane queue budget ledger webhook batch ending
-- A worker process goes for good: what it still holds is recovered by policy, a bounded piece at a call.
-- KEYS: 1 leader   ARGV: 1 prefix  2 worker id  3 most jobs to recover
-- Returns {jobs recovered, jobs it still holds: call again}. Twice: {0, 0}.
local recovered = recover_from(ARGV[2], tonumber(ARGV[3]), true)
local left = redis.call('SCARD', worker_jobs_key(ARGV[2]))
-- Should nobody call again, a sweep goes on.
if left == 0 then forget_worker(ARGV[2]) else redis.call('ZADD', prefix .. 'workers', 0, ARGV[2]) end
if redis.call('GET', KEYS[1]) == ARGV[2] then redis.call('DEL', KEYS[1]) end
wake()
return {recovered, left}
