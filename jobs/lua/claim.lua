#!lua flags=allow-oom
-- A worker takes the jobs of one message; each only if it was released to this worker with this dispatch number.
-- ARGV: 1 prefix  2 worker id  3 dispatch number  4 nonce of the message's handling  5 most bytes of a request to hand out  6… job numbers
-- Returns a list of {N, request or '' if it is longer, then values} for the jobs that are now this worker's; the values are
--   attempt, spent, max_attempts, on_unknown, run_timeout, model, lane, project, echo, stream, created, tokens.
-- Twice with one nonce: the same answer.
local worker = ARGV[2]
redis.call('HDEL', prefix .. 'worker:' .. worker, 'stalled')
local taken = {}
for i = 6, #ARGV do
  local n = ARGV[i]
  local job = read(n, 'stage', 'dispatch', 'worker', 'nonce', 'status', 'project', 'attempt', 'started', 'request_bytes')
  if job.worker == worker and job.dispatch == ARGV[3] and
      (job.stage == 'dispatched' or (job.stage == 'running' and job.nonce == ARGV[4])) then
    if job.stage == 'dispatched' then
      local attempt = redis.call('HINCRBY', job_key(n), 'attempt', 1)
      redis.call('HSET', job_key(n), 'status', 'in_progress', 'stage', 'running', 'nonce', ARGV[4],
        'started', job.started or int(now))
      redis.call('ZREM', prefix .. 'dispatched', n)
      redis.call('ZREM', prefix .. 'deadlines', n)
      move(n, job.project, 'queued', 'in_progress')
      redis.call('RPUSH', prefix .. 'attempts:' .. n, cjson.encode({number = attempt, started_at = now, worker = worker,
        outcome = 'running', delivery = 'not_sent', may_be_billed = false}))
      redis.call('LTRIM', prefix .. 'attempts:' .. n, -100, -1)
    end
    local whole = tonumber(job.request_bytes) <= tonumber(ARGV[5])
    local fields = redis.call('HMGET', job_key(n), 'attempt', 'spent', 'max_attempts', 'on_unknown', 'run_timeout',
      'model', 'lane', 'project', 'echo', 'stream', 'created', 'tokens')
    table.insert(taken, {n, whole and redis.call('HGET', job_key(n), 'request') or '', unpack(fields)})
  end
end
return taken
