#!lua flags=allow-oom
-- Parts: base
-- Keeps the id by which the upstream knows the response that attempt A began, so that a successor can ask for it.
-- KEYS: 1 job:N   ARGV: 1 prefix  2 N  3 worker id  4 attempt  5 the upstream's id
-- Returns 1, or 0 if the job is no longer this worker's: then the response is nobody's. Twice: the same.
local n = ARGV[2]
local job = read(n, 'worker', 'attempt', 'stage')
if job.worker ~= ARGV[3] or job.attempt ~= ARGV[4] or job.stage ~= 'running' then return 0 end
write(n, 'upstream', ARGV[5])
local key = attempts_key(n)
local entry = cjson.decode(redis.call('LINDEX', key, -1))
entry.upstream_response_id = ARGV[5]
redis.call('LSET', key, -1, cjson.encode(entry))
return 1
