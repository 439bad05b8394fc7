#!lua
-- Parts: base metric lane queue budget log batch
-- Queues a failed job again, with all of its attempts to spend anew. What was recorded of it stays.
-- KEYS: 1 job:N   ARGV: 1 prefix  2 N  3 project, or '' for any  4 max queued bytes (all jobs)  5 µs of an ageing time  6 nonce of this retry
-- Returns {'again', room} | {'missing'} | {'too_new'} | {STATUS: it has not failed} | {'in_batch', status of a batch that has not ended}
--   | {'full'} | {'over', limit, bound, ms, room} as submit does.
-- Twice with one nonce: {'again', room}.
local n = ARGV[2]
local job = read(n, 'project', 'status', 'request_bytes', 'tokens', 'nano_held', 'priority', 'queue_deadline', 'idempotency', 'series',
  'attempt', 'log_last', 'batch', 'backlog', 'schema')
if not job.status or (ARGV[3] ~= '' and job.project ~= ARGV[3]) then return {'missing'} end
if too_new(job.schema) then return {'too_new'} end
if look_up(n, 'retried_by').retried_by == ARGV[6] then return {'again', headroom(job.project)} end
if job.status ~= 'failed' then return {job.status} end
local batch = job.batch and read_batch(job.batch, 'status', 'goes') or {}
if batch.status and not batch.goes then return {'in_batch', batch.status} end
local queued = tonumber(redis.call('HGET', prefix .. 'counters', 'queued_bytes') or '0')
if queued + tonumber(job.request_bytes) > tonumber(ARGV[4]) then return {'full'} end
local refusal = admit(job.project, tonumber(job.tokens), tonumber(job.nano_held), 1)
if refusal then return {'over', refusal[1], refusal[2], refusal[3], headroom(job.project)} end

withdraw(n)
redis.call('ZREM', prefix .. 'ended', job.project .. ':' .. n)
redis.call('PERSIST', KEYS[1])
redis.call('PERSIST', attempts_key(n))
redis.call('PERSIST', log_key(n))
if job.idempotency then redis.call('PERSIST', job.idempotency) end
clear(n, 'finished', 'expires', 'response', 'raw', 'usage', 'error', 'ended_by', 'lost', 'upstream', 'log_attempt', 'log_whole',
  'batch') -- the files of its batch are written: from now on it is a job like any other
-- Who follows from the beginning is told that another answer begins. Two numbers are left out: those under which the
-- failure, an error and its response.failed, was told to whoever was there.
local last = tonumber(job.log_last or 2) + 3
redis.call('XADD', log_key(n), int(last + 1) .. '-0', 'type', RESTARTED, 'event', restarted(tonumber(job.attempt or 0) + 1))
write(n, 'log_last', int(last), 'log_void', int(last), 'log_count', 0)
write(n, 'status', 'queued', 'spent', 0, 'snoozes', 0, 'queued', int(now), 'series', tonumber(job.series or 1) + 1, 'retried_by', ARGV[6],
  'order', int(now_us - tonumber(job.priority) * tonumber(ARGV[5])))
move(n, job.project, 'failed', 'queued')
count('queued_bytes', tonumber(job.request_bytes))
if tonumber(job.queue_deadline) > 0 then
  redis.call('ZADD', prefix .. 'deadlines', int(now + tonumber(job.queue_deadline)), n)
end
enqueue(n)
meter('submitted\nretry\n' .. counted_as(job.backlog), 1)
return {'again', headroom(job.project)}
