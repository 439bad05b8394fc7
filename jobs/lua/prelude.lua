-- Prepended to every script. ARGV[1] is the key prefix; a job's key is prefix .. "job:" .. number.
-- The record `job:N` is the truth; every other key is an index of it that a sweep can rebuild.
local prefix = ARGV[1]
local clock = redis.call('TIME')
local now_us = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local now = math.floor(now_us / 1000)
local DAY = 86400000

local function int(number) return string.format('%.0f', number) end
local function job_key(n) return prefix .. 'job:' .. n end
local function lane_key(lane) return prefix .. 'lane:' .. lane end
local function queue_key(lane, project) return prefix .. 'lane:' .. lane .. ':queue:' .. project end
local function worker_jobs_key(worker) return prefix .. 'worker:' .. worker .. ':jobs' end

local function read(n, ...)
  local names, values = {...}, redis.call('HMGET', job_key(n), ...)
  local job = {}
  for i, name in ipairs(names) do job[name] = values[i] or nil end
  return job
end

local function ended(status) return status and status ~= 'queued' and status ~= 'in_progress' end

local function count(name, by) redis.call('HINCRBY', prefix .. 'counters', name, by) end

-- Calls the dispatcher: something may go now. Once is enough until it has looked again.
local function wake()
  if redis.call('DEL', prefix .. 'asleep') == 1 then redis.call('PUBLISH', prefix .. 'wake', '1') end
end

local function move(n, project, from, to)
  local score = redis.call('HGET', job_key(n), 'created')
  redis.call('ZREM', prefix .. 'index:' .. project .. ':' .. from, n)
  redis.call('ZADD', prefix .. 'index:' .. project .. ':' .. to, score, n)
end

-- Into its project's queue of the lane, in the order of submission.
local function enqueue(n)
  local job = read(n, 'lane', 'project', 'created')
  redis.call('ZADD', queue_key(job.lane, job.project), job.created, n)
  local projects = lane_key(job.lane) .. ':projects'
  if not redis.call('ZSCORE', projects, job.project) then
    -- A project that comes (back) starts level with the one served last, not with a credit for its absence.
    local level = redis.call('HGET', lane_key(job.lane), 'service') or '0'
    redis.call('ZADD', projects, level, job.project)
  end
  redis.call('ZADD', prefix .. 'lanes', 'NX', int(now_us), job.lane)
  redis.call('HSET', job_key(n), 'stage', 'waiting')
  wake()
end

-- Takes the job out of every place that a stage puts it in, and frees its slot.
local function withdraw(n)
  local job = read(n, 'lane', 'project', 'worker')
  if not job.lane then return end
  redis.call('ZREM', queue_key(job.lane, job.project), n)
  redis.call('ZREM', prefix .. 'dispatched', n)
  redis.call('ZREM', prefix .. 'delayed', n)
  if redis.call('SREM', lane_key(job.lane) .. ':slots', n) == 1 then
    -- A lane parked until later may go now; one whose turn it is keeps its place before or behind the others.
    redis.call('ZADD', prefix .. 'lanes', 'XX', 'LT', int(now_us), job.lane)
    wake()
  end
  if job.worker then
    redis.call('SREM', worker_jobs_key(job.worker), n)
    redis.call('HDEL', job_key(n), 'worker', 'nonce')
  end
end

-- Back to `queued`: `due` is 0 for now, else milliseconds since the epoch.
local function requeue(n, due, reason)
  local job = read(n, 'project', 'status', 'created', 'queue_deadline', 'spent')
  withdraw(n)
  if tonumber(job.queue_deadline) > 0 and job.spent == '0' then
    redis.call('ZADD', prefix .. 'deadlines', int(math.floor(job.created / 1000) + job.queue_deadline), n)
  end
  if job.status == 'in_progress' then move(n, job.project, 'in_progress', 'queued') end
  redis.call('HSET', job_key(n), 'status', 'queued')
  if due > now then
    redis.call('HSET', job_key(n), 'stage', 'delayed', 'due', int(due), 'reason', reason)
    redis.call('ZADD', prefix .. 'delayed', int(due), n)
  else
    redis.call('HDEL', job_key(n), 'due', 'reason')
    enqueue(n)
  end
end

-- Writes how the attempt `number` went into its entry, and answers whether that was news. One that was given up for lost
-- is corrected by what it turned out to be; a closed one takes no more than the usage that came late.
local function close_attempt(n, number, fields)
  local key = prefix .. 'attempts:' .. n
  for place = -1, -math.min(5, redis.call('LLEN', key)), -1 do
    local entry = cjson.decode(redis.call('LINDEX', key, place))
    if entry.number == number then
      local open = entry.outcome == 'running' or entry.outcome == 'lost'
      if not open and (entry.usage or not fields.usage) then return false end
      for name, value in pairs(open and fields or {usage = fields.usage, may_be_billed = true}) do entry[name] = value end
      entry.finished_at = entry.finished_at or now
      redis.call('LSET', key, place, cjson.encode(entry))
      return true
    end
  end
  return false
end

-- Ends the job once and for all; the caller has made sure that it had not ended.
-- `fields` is a flat list for the record. Keeps the slot of a call that still runs when `keep_slot`.
local function finish(n, status, fields, keep_slot)
  local job = read(n, 'project', 'status', 'model', 'api_key', 'created', 'request_bytes', 'idempotency', 'retention')
  local expires = now + tonumber(job.retention)
  if not keep_slot then withdraw(n) end
  redis.call('ZREM', prefix .. 'deadlines', n)
  redis.call('HSET', job_key(n), 'status', status, 'stage', 'ended', 'finished', int(now), 'expires', int(expires), unpack(fields))
  redis.call('HDEL', job_key(n), 'due', 'reason')
  move(n, job.project, job.status, status)
  count('queued_bytes', -tonumber(job.request_bytes))
  redis.call('ZADD', prefix .. 'ended', int(expires), job.project .. ':' .. n)
  -- The sweep removes the record and its index together; this expiry is the safety net behind it.
  redis.call('PEXPIREAT', job_key(n), int(expires + DAY))
  redis.call('PEXPIREAT', prefix .. 'attempts:' .. n, int(expires + DAY))
  if job.idempotency then
    redis.call('PEXPIREAT', job.idempotency, int(math.max(tonumber(job.created) / 1000 + DAY, now + 60000)))
  end
  local usage = prefix .. 'usage:' .. job.project .. ':' .. int(math.floor(now / DAY))
  redis.call('HINCRBY', usage, job.model .. '\n' .. job.api_key .. '\n' .. status, 1)
  redis.call('PEXPIRE', usage, int(400 * DAY))
  redis.call('PUBLISH', prefix .. 'ended_jobs', n)
end

-- Tells the worker to hang up on the call that it makes for the job.
local function call_off(n, worker)
  local key = prefix .. 'worker:' .. worker .. ':cancels'
  redis.call('SADD', key, n)
  redis.call('PEXPIRE', key, 600000)
end

-- Books tokens, `{name: count}`, on the day they became known, and trues up what the lane had reserved for them.
local function book(n, tokens)
  local job = read(n, 'project', 'model', 'api_key', 'lane', 'tokens')
  local lane = lane_key(job.lane)
  redis.call('HINCRBY', lane, 'settled', int((tokens.total_tokens or 0) - tonumber(job.tokens)))
  if redis.call('PTTL', lane) < 0 then redis.call('PEXPIRE', lane, int(DAY)) end
  local usage = prefix .. 'usage:' .. job.project .. ':' .. int(math.floor(now / DAY))
  for name, value in pairs(tokens) do
    redis.call('HINCRBY', usage, job.model .. '\n' .. job.api_key .. '\n' .. name, int(value))
  end
  redis.call('PEXPIRE', usage, int(400 * DAY))
end

local function fail(n, code, message, retryable)
  local problem = cjson.encode({code = code, message = message, retryable = retryable})
  finish(n, 'failed', {'error', problem}, false)
end

-- Decides about a job that its worker no longer holds: nothing was sent, or nobody can know.
local function recover(n)
  local job = read(n, 'status', 'stage', 'attempt', 'sent', 'spent', 'lost', 'max_attempts', 'on_unknown')
  if not job.status then return end
  if job.stage == 'dispatched' then return requeue(n, 0, '') end
  local number = tonumber(job.attempt or 0)
  local sent = tonumber(job.sent or 0) == number
  close_attempt(n, number, {outcome = 'lost', delivery = sent and 'sent' or 'not_sent', may_be_billed = sent})
  if ended(job.status) then return withdraw(n) end
  count('recovered_jobs', 1)
  local lost = redis.call('HINCRBY', job_key(n), 'lost', 1)
  if not sent then
    if lost >= 5 then return fail(n, 'worker_lost', 'five workers were lost with this job before it was sent', true) end
    return requeue(n, 0, '')
  end
  local spent = redis.call('HINCRBY', job_key(n), 'spent', 1)
  if job.on_unknown == 'fail' then
    return fail(n, 'outcome_unknown', 'the worker was lost after the request was sent; it may have been billed', true)
  end
  if spent >= tonumber(job.max_attempts) then
    return fail(n, 'outcome_unknown', 'the worker was lost after the request was sent, and no attempt is left', true)
  end
  requeue(n, 0, '')
end

-- Recovers a job that the worker's set names; a set that is wrong about it only loses the entry.
local function recover_from(worker, n)
  if redis.call('HGET', job_key(n), 'worker') == worker then recover(n) end
  redis.call('SREM', worker_jobs_key(worker), n)
end
