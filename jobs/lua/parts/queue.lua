-- A job's places: index, queue, slot, and the way back into the queue.

local function move(n, project, from, to)
  local score = redis.call('HGET', job_key(n), 'created')
  redis.call('ZREM', index_key(project, from), n)
  redis.call('ZADD', index_key(project, to), score, n)
end

-- Into its project's queue of the lane, in the order of submission.
local function enqueue(n)
  local job = read(n, 'lane', 'project', 'created')
  redis.call('ZADD', queue_key(job.lane, job.project), job.created, n)
  if not redis.call('ZSCORE', projects_key(job.lane), job.project) then
    -- A project that comes (back) starts level with the one served last, not with a credit for its absence.
    local level = redis.call('HGET', lane_key(job.lane), 'service') or '0'
    redis.call('ZADD', projects_key(job.lane), level, job.project)
  end
  redis.call('ZADD', prefix .. 'lanes', 'NX', int(now_us), job.lane)
  redis.call('HSET', job_key(n), 'stage', 'waiting')
  wake()
end

-- Takes the job out of every place that a stage puts it in, and frees its slot.
local function withdraw(n)
  redis.call('ZREM', prefix .. 'dispatched', n)
  redis.call('ZREM', prefix .. 'delayed', n)
  local job = read(n, 'lane', 'project', 'worker')
  if not job.lane then return end
  redis.call('ZREM', queue_key(job.lane, job.project), n)
  if redis.call('SREM', slots_key(job.lane), n) == 1 then
    -- A lane parked until later may go now; one whose turn it is keeps its place before or behind the others.
    redis.call('ZADD', prefix .. 'lanes', 'XX', 'LT', int(now_us), job.lane)
    wake()
  end
  if job.worker then
    redis.call('SREM', worker_jobs_key(job.worker), n)
    redis.call('HDEL', job_key(n), 'worker', 'nonce')
  end
end

-- Trues up the tokens that the lane reserved for the job's last release, once; `used` is what it really took.
local function settle(n, used)
  local job = read(n, 'lane', 'reserved')
  if not job.reserved then return end
  redis.call('HDEL', job_key(n), 'reserved')
  redis.call('HINCRBY', lane_key(job.lane), 'settled', int(math.min(used, 10000000) - tonumber(job.reserved)))
  if redis.call('PTTL', lane_key(job.lane)) < 0 then redis.call('PEXPIRE', lane_key(job.lane), int(DAY)) end
end

-- Back to `queued`: `due` is 0 for now, else milliseconds since the epoch.
local function requeue(n, due, reason)
  local job = read(n, 'project', 'status', 'stage', 'created', 'queue_deadline', 'spent')
  withdraw(n)
  if not job.status then return end
  if job.stage == 'dispatched' then settle(n, 0) end
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

-- Tells the worker to hang up on the call that it makes for the job.
local function call_off(n, worker)
  redis.call('SADD', worker_cancels_key(worker), n)
  redis.call('PEXPIRE', worker_cancels_key(worker), 600000)
end
