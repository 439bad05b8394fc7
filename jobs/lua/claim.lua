#!lua flags=allow-oom
-- Parts: base metric lane queue
-- A worker takes the jobs of one message; each only if it was released to this worker with this dispatch number, and its
-- record is of a form that this release knows.
-- ARGV: 1 prefix  2 worker id  3 dispatch number  4 nonce of the message's handling  5 most bytes of a request to hand out  6… job numbers
-- Returns a list of {N, request or '' if it is longer, then values} for the jobs that are now this worker's; the values are
--   attempt, spent, snoozes, max_attempts, on_unknown, run_timeout, lane, echo, created, and each or '': upstream, project, batch,
--   request_id, traceparent.
-- Twice with one nonce: the same answer.
local worker = ARGV[2]

-- Long rows of refusals are cut from their beginning; an attempt that was spent or may be billed always stays.
local function trim(key)
  if redis.call('LLEN', key) <= 100 then return end
  for _, text in ipairs(redis.call('LRANGE', key, 0, -1)) do
    local entry = cjson.decode(text)
    local free = entry.outcome == 'snoozed' or (entry.outcome == 'lost' and entry.delivery == 'not_sent')
    if free and not entry.may_be_billed then return redis.call('LREM', key, 1, text) end
  end
end

local function start(n, job)
  local attempt = redis.call('HINCRBY', job_key(n), 'attempt', 1)
  redis.call('HSET', job_key(n), 'status', 'in_progress', 'stage', 'running', 'nonce', ARGV[4],
    'started', job.started or int(now))
  redis.call('ZREM', prefix .. 'dispatched', n)
  redis.call('ZREM', prefix .. 'deadlines', n)
  move(n, job.project, 'queued', 'in_progress')
  redis.call('RPUSH', attempts_key(n), cjson.encode({number = attempt, series = tonumber(job.series or 1), lane = job.lane,
    started_at = now, worker = worker, outcome = 'running', delivery = 'not_sent', may_be_billed = false,
    upstream_response_id = job.upstream}))
  trim(attempts_key(n))
  if not job.started then
    meter_time('wait', '\n' .. (job.batch and 'batch' or 'api') .. '\n' .. counted_as(job.lane), now - tonumber(job.queued or now))
  end
  redis.call('PUBLISH', log_key(n), 'started')
end

redis.call('HDEL', worker_key(worker), 'stalled')
local taken = {}
for i = 6, #ARGV do
  local n = ARGV[i]
  local job = read(n, 'stage', 'dispatch', 'worker', 'nonce', 'project', 'started', 'request_bytes', 'lane', 'series', 'upstream',
    'queued', 'batch', 'request_id', 'traceparent', 'schema')
  if job.worker == worker and job.dispatch == ARGV[3] and not too_new(job.schema) and
      (job.stage == 'dispatched' or (job.stage == 'running' and job.nonce == ARGV[4])) then
    if job.stage == 'dispatched' then start(n, job) end
    local whole = tonumber(job.request_bytes) <= tonumber(ARGV[5])
    local fields = redis.call('HMGET', job_key(n), 'attempt', 'spent', 'snoozes', 'max_attempts', 'on_unknown', 'run_timeout',
      'lane', 'echo', 'created')
    table.insert(taken, {n, whole and redis.call('HGET', job_key(n), 'request') or '', unpack(fields)})
    for _, name in ipairs({'upstream', 'project', 'batch', 'request_id', 'traceparent'}) do table.insert(taken[#taken], job[name] or '') end
  end
end
return taken
