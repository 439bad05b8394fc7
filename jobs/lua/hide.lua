#!lua flags=allow-oom
-- Parts: base
-- Hides a cancelled job that is to be forgotten while its worker still hangs up: what was asked and answered goes
-- at once, the rest with a sweep, by when the worker has let go of its slot.
-- KEYS: 1 job:N   ARGV: 1 prefix  2 N  3 ms until a sweep removes the record
-- Returns 'hidden' or 'missing' (there is no such job, or it has not ended). Twice: 'hidden', and the record goes later.
local n = ARGV[2]
local job = read(n, 'status', 'project')
if not ended(job.status) then return 'missing' end
write(n, 'hidden', 1)
clear(n, 'request', 'response', 'raw')
redis.call('DEL', log_key(n))
redis.call('ZREM', index_key(job.project, job.status), n)
redis.call('ZADD', prefix .. 'ended', int(now + tonumber(ARGV[3])), job.project .. ':' .. n)
return 'hidden'
