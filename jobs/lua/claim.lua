#!lua flags=allow-oom
-- Parts: base metric lane queue
-- A worker takes the jobs of one message; each only if it was released to this worker with this dispatch number, and its
-- record is of a form that this release knows.
-- ARGV: 1 prefix  2 worker id  3 dispatch number  4 nonce of the message's handling  5 most bytes of a request to hand out  6… job numbers
-- Returns a list of {N, then the values that SHOWN names, each or ''} for the jobs that are now this worker's; a request that is
--   longer than that is ''.
-- Twice with one nonce: the same answer.
local worker = ARGV[2]
local SHOWN = {'request', 'attempt', 'spent', 'snoozes', 'max_attempts', 'on_unknown', 'run_timeout', 'lane', 'echo', 'created', 'upstream',
  'project', 'batch', 'request_id', 'traceparent'}

-- Long rows of refusals are cut from their beginning; an attempt that was spent or may be billed always stays.
local function trim(key)
  for _, text in ipairs(redis.call('LRANGE', key, 0, -1)) do
    local entry = cjson.decode(text)
    local free = entry.outcome == 'snoozed' or (entry.outcome == 'lost' and entry.delivery == 'not_sent')
    if free and not entry.may_be_billed then return redis.call('LREM', key, 1, text) end
  end
end

local function start(n, job)
  local attempt = tonumber(job.attempt or 0) + 1
  write(n, 'status', 'in_progress', 'stage', 'running', 'nonce', ARGV[4], 'attempt', attempt, 'started', job.started or int(now))
  redis.call('ZREM', prefix .. 'dispatched', n)
  redis.call('ZREM', prefix .. 'deadlines', n)
  move(n, job.project, 'queued', 'in_progress')
  local length = redis.call('RPUSH', attempts_key(n), cjson.encode({number = attempt, series = tonumber(job.series or 1), lane = job.lane,
    started_at = now, worker = worker, outcome = 'running', delivery = 'not_sent', may_be_billed = false,
    upstream_response_id = job.upstream}))
  if length > 100 then trim(attempts_key(n)) end
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
    'queued', 'batch', 'request_id', 'traceparent', 'schema', 'attempt')
  if job.worker == worker and job.dispatch == ARGV[3] and not too_new(job.schema) and
      (job.stage == 'dispatched' or (job.stage == 'running' and job.nonce == ARGV[4])) then
    if job.stage == 'dispatched' then start(n, job) end
    local whole = tonumber(job.request_bytes) <= tonumber(ARGV[5])
    local long, row = look_up(n, 'echo', unpack(whole and {'request'} or {})), {n}
    for _, name in ipairs(SHOWN) do table.insert(row, record(n)[name] or long[name] or '') end
    table.insert(taken, row)
  end
end
return taken
