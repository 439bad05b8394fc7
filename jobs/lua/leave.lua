#!lua flags=allow-oom
-- A worker process goes for good: what it still holds is recovered by policy, as if it had died.
-- KEYS: 1 dispatcher   ARGV: 1 prefix  2 worker id
-- Returns the number of jobs recovered. Twice: 0.
local held = redis.call('SMEMBERS', worker_jobs_key(ARGV[2]))
redis.call('ZREM', prefix .. 'workers', ARGV[2])
for _, n in ipairs(held) do recover_from(ARGV[2], n) end
local key = prefix .. 'worker:' .. ARGV[2]
redis.call('DEL', key, key .. ':cancels', prefix .. 'queue:' .. ARGV[2])
if redis.call('GET', KEYS[1]) == ARGV[2] then redis.call('DEL', KEYS[1]) end
wake()
return #held
