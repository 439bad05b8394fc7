#!lua flags=allow-oom
-- Parts: base lane queue
-- Removes a job that has ended, with all that is kept of it but its share of the usage and its idempotency key's day.
-- KEYS: 1 job:N   ARGV: 1 prefix  2 N  3 project, or '' for any
-- Returns 'forgotten', 'running' (it has not ended, or a worker still hangs up) , 'missing' or 'too_new'. Twice: 'missing'.
local n = ARGV[2]
local job = read(n, 'status', 'project', 'worker', 'schema')
if not job.status or (ARGV[3] ~= '' and job.project ~= ARGV[3]) then return 'missing' end
if too_new(job.schema) then return 'too_new' end
if not ended(job.status) or job.worker then return 'running' end
withdraw(n)
redis.call('ZREM', index_key(job.project, job.status), n)
redis.call('ZREM', prefix .. 'ended', job.project .. ':' .. n)
erase(n)
return 'forgotten'
