-- A job's end, and what becomes of one whose worker no longer holds it.

-- The event of the job's end, and the deliveries that it owes.
local function announce(n, status)
  local job = read(n, 'project', 'model', 'series', 'retention', 'request_id', 'traceparent')
  for name, value in pairs(look_up(n, 'metadata', 'error', 'usage', 'webhook')) do job[name] = value end
  local id, type = 'evt_' .. n .. string.format('%02x', tonumber(job.series or 1)), 'response.' .. status
  local own = '{"job_id":"job_' .. n .. '","project":' .. cjson.encode(job.project) .. ',"model":' .. cjson.encode(job.model) ..
    ',"metadata":' .. (job.metadata or '{}') .. ',"error":' .. (job.error or 'null') .. ',"usage":' .. (job.usage or 'null') .. '}'
  emit({id = id, type = type, project = job.project, job = n, retention = tonumber(job.retention),
    request_id = job.request_id, traceparent = job.traceparent, body = event_body(id, type, 'resp_' .. n, own)}, job.webhook and cjson.decode(job.webhook) or nil)
end

local ENDS = {completed = 1, failed = 2, incomplete = 3, cancelled = 4}

-- The bucket of a time: whole ms below ten, from there on each a tenth wider than the one before.
local function bucket(ms)
  if ms < 10 then return math.max(0, math.floor(ms)) end
  return math.min(219, 10 + math.floor(math.log(ms / 10) / math.log(1.1)))
end

-- Counts the end, how long the job had waited for its first start, and, unless it was cut short, how long it took from
-- there. Of one that was tried again by hand, the last start counts.
local function tally_end(job, status)
  local counters = {ENDS[status]}
  local queued, start = tonumber(job.queued), tonumber(job.started)
  if queued and start and start < queued then start = tonumber(job.released) end
  if queued and start and start >= queued then
    table.insert(counters, 8 + 2 * bucket(start - queued))
    if status ~= 'cancelled' then table.insert(counters, 9 + 2 * bucket(now - start)) end
  end
  tally(job.project, counters)
end

-- Ends the job once and for all; the caller has made sure that it had not ended.
-- `fields` is a flat list for the record. Keeps the slot of a call that still runs when `keep_slot`.
local function finish(n, status, fields, keep_slot)
  local job = read(n, 'project', 'status', 'stage', 'created', 'request_bytes', 'idempotency', 'retention', 'tokens', 'nano_held',
    'batch', 'lane', 'backlog', 'queued', 'started', 'released', 'due', 'reason', 'log_last')
  local expires = now + tonumber(job.retention)
  if job.stage == 'dispatched' then settle(n, 0) end
  if not keep_slot then withdraw(n) end
  if job.stage ~= 'running' then redis.call('ZREM', prefix .. 'deadlines', n) end
  write(n, 'status', status, 'stage', 'ended', 'finished', int(now), 'expires', int(expires), unpack(fields))
  if job.due or job.reason then clear(n, 'due', 'reason') end
  move(n, job.project, job.status, status)
  count('queued_bytes', -tonumber(job.request_bytes))
  hold(job.project, -tonumber(job.tokens), -tonumber(job.nano_held or 0))
  redis.call('ZADD', prefix .. 'ended', int(expires), job.project .. ':' .. n)
  -- The sweep removes the record and its index together; this expiry is the safety net behind it.
  redis.call('PEXPIREAT', job_key(n), int(expires + DAY))
  redis.call('PEXPIREAT', attempts_key(n), int(expires + DAY))
  if job.log_last then redis.call('PEXPIREAT', log_key(n), int(expires + DAY)) end
  if job.idempotency then
    redis.call('PEXPIREAT', job.idempotency, int(math.max(tonumber(job.created) / 1000 + DAY, now + 60000)))
  end
  book(n, {[status] = 1})
  meter('ended\n' .. status .. '\n' .. counted_as(job.lane or job.backlog), 1)
  tally_end(job, status)
  -- A line of a batch is told of with all others by the batch's own event.
  if job.batch then count_line(job.batch, n, status) else announce(n, status) end
  redis.call('PUBLISH', prefix .. 'ended_jobs', n)
  redis.call('PUBLISH', log_key(n), 'ended')
end

local function fail(n, code, message)
  finish(n, 'failed', {'error', cjson.encode({code = code, message = message, retryable = true})}, false)
end

-- The response of a cancelled job goes on upstream, and nobody asks for it any more: any worker that lives cancels it.
local function orphan(job)
  redis.call('LPUSH', prefix .. 'upstream_cancels', job.lane .. '\n' .. job.upstream)
  redis.call('LTRIM', prefix .. 'upstream_cancels', 0, 9999)
  redis.call('PEXPIRE', prefix .. 'upstream_cancels', int(DAY))
end

-- Decides about a job that its worker no longer holds: nothing was sent, or nobody can know, or the upstream can be asked.
-- `left`: the worker goes because it was told to, so its going says nothing of the job.
local function recover(n, left)
  local job = read(n, 'status', 'stage', 'attempt', 'sent', 'spent', 'max_attempts', 'on_unknown', 'upstream', 'lane')
  if not job.status then return end
  if job.stage == 'dispatched' then return requeue(n, 0, '') end
  local sent = job.sent ~= nil and job.sent == job.attempt
  close_attempt(n, tonumber(job.attempt or 0),
    {outcome = 'lost', delivery = sent and 'sent' or 'not_sent', may_be_billed = sent and not job.upstream}, nil)
  if ended(job.status) then
    if job.upstream and job.status == 'cancelled' then orphan(job) end
    return withdraw(n)
  end
  count('recovered_jobs', 1)
  local lost = left and 0 or raise(n, 'lost')
  local unknown = sent and not job.upstream
  local spent = unknown and raise(n, 'spent') or 0
  if unknown and job.on_unknown == 'fail' then
    return fail(n, 'outcome_unknown', 'the worker was lost after the request was sent; it may have been billed')
  end
  if lost >= MOST_LOST then
    if job.upstream then orphan(job) end
    return fail(n, 'worker_lost', 'three workers in a row were lost with this job')
  end
  if unknown and spent >= tonumber(job.max_attempts) then
    return fail(n, 'outcome_unknown', 'the worker was lost after the request was sent, and no attempt is left')
  end
  requeue(n, 0, '')
end

-- Recovers at most `most` of the jobs that the worker's set names, and answers how many.
-- A set that is wrong about one only loses the entry. `left` as for `recover`.
local function recover_from(worker, most, left)
  local recovered = 0
  for _, n in ipairs(redis.call('SRANDMEMBER', worker_jobs_key(worker), most)) do
    if owed >= MOST_OWED then break end
    local job = read(n, 'worker', 'schema')
    if job.worker == worker and not too_new(job.schema) then recover(n, left) end
    redis.call('SREM', worker_jobs_key(worker), n)
    recovered = recovered + 1
  end
  return recovered
end

-- Removes what is kept of a worker process, once it holds no job.
local function forget_worker(worker)
  redis.call('ZREM', prefix .. 'workers', worker)
  redis.call('DEL', worker_key(worker), worker_cancels_key(worker), worker_queue_key(worker))
end
