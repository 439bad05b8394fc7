-- A job's places: index, backlog, slot, and the way back into the backlog.

local function move(n, project, from, to)
  redis.call('ZREM', index_key(project, from), n)
  redis.call('ZADD', index_key(project, to), record(n).created, n)
end

-- A job with which so many workers in a row were lost is taken for what kills them.
local MOST_LOST = 3

-- Whether one more loss ends the job: no worker is given two of these, so that the one is not held against the other.
local function suspect(lost) return tonumber(lost or 0) >= MOST_LOST - 1 end

-- Where the job waits. One whose response goes on upstream can only be asked for where it was begun.
local function backlog_of(job) return job.upstream and job.lane or job.backlog end

-- Lets the project's jobs in the backlog have their turns. One that comes (back) starts level with the one served last,
-- not with a credit for its absence.
local function join(backlog, project)
  if redis.call('ZSCORE', projects_key(backlog), project) then return end
  local level = redis.call('HGET', backlog_key(backlog), 'service')
  level = level or redis.call('ZRANGE', projects_key(backlog), 0, 0, 'WITHSCORES')[2] or '0'
  redis.call('ZADD', projects_key(backlog), level, project)
  redis.call('ZADD', prefix .. 'backlogs', 'LT', int(now_us), backlog)
end

-- Whether turns were taken from the project; asked once a run, unless it does so itself.
local blocked = {}
local function is_blocked(project)
  if blocked[project] == nil then blocked[project] = redis.call('HGET', project_key(project), 'blocked') ~= false end
  return blocked[project]
end

-- Takes the project's turns from it: it may take no more until `until_ms`, or until something ends if that is nil.
local function park(backlog, project, reason, until_ms)
  redis.call('ZREM', projects_key(backlog), project)
  redis.call('ZADD', parked_key(backlog), until_ms and int(until_ms) or '+inf', project)
  redis.call('SADD', project_parked_key(project), backlog)
  redis.call('HSET', project_key(project), 'blocked', reason)
  blocked[project] = true
end

local function unpark(project)
  for _, backlog in ipairs(redis.call('SMEMBERS', project_parked_key(project))) do
    if redis.call('ZREM', parked_key(backlog), project) == 1 then join(backlog, project) end
  end
  redis.call('DEL', project_parked_key(project))
  redis.call('HDEL', project_key(project), 'blocked')
  blocked[project] = false
end

-- Into its project's queue of the backlog: by submission, each step of priority as if it had come one ageing time earlier.
local function enqueue(n)
  local job = read(n, 'backlog', 'lane', 'upstream', 'project', 'order')
  local backlog = backlog_of(job)
  -- A response that goes on upstream is asked for before anything new is begun, and whatever else its project may not.
  redis.call('ZADD', queue_key(backlog, job.project), job.upstream and 0 or job.order, n)
  if job.upstream then redis.call('ZREM', parked_key(backlog), job.project) end
  if not redis.call('ZSCORE', parked_key(backlog), job.project) then join(backlog, job.project) end
  redis.call('ZADD', prefix .. 'backlogs', 'NX', int(now_us), backlog)
  write(n, 'stage', 'waiting')
  wake()
end

-- Takes the job out of every place that a stage puts it in, and frees its slot.
local function withdraw(n)
  redis.call('ZREM', prefix .. 'dispatched', n)
  redis.call('ZREM', prefix .. 'delayed', n)
  local job = read(n, 'backlog', 'lane', 'upstream', 'project', 'worker')
  if not job.backlog then return end
  redis.call('ZREM', queue_key(backlog_of(job), job.project), n)
  if job.lane and redis.call('SREM', slots_key(job.lane), n) == 1 then
    redis.call('SREM', project_slots_key(job.project), n)
    if is_blocked(job.project) then unpark(job.project) end
    reopen(job.lane)
  end
  if job.worker then
    redis.call('SREM', worker_jobs_key(job.worker), n)
    clear(n, 'worker', 'nonce')
  end
end

-- Trues up the tokens that the lane reserved for the job's last release, once; `used` is what it really took.
local known_to_last = {}
local function settle(n, used)
  local job = read(n, 'lane', 'reserved', 'released')
  if not job.reserved then return end
  clear(n, 'reserved')
  local more = math.min(used, 10000000) - tonumber(job.reserved)
  redis.call('HINCRBY', lane_key(job.lane), 'settled', int(more))
  if not known_to_last[job.lane] and redis.call('PTTL', lane_key(job.lane)) < 0 then keep(job.lane, now) end
  known_to_last[job.lane] = true
  local at = math.floor(tonumber(job.released) / 1000)
  if at > second - 61 then count_starts(job.lane, int(at), 0, more) end
end

-- Back to `queued`: `due` is 0 for now, else milliseconds since the epoch.
local function requeue(n, due, reason)
  local job = read(n, 'project', 'status', 'stage', 'queued', 'queue_deadline', 'spent', 'upstream')
  withdraw(n)
  if not job.status then return end
  if job.stage == 'dispatched' then settle(n, 0) end
  if tonumber(job.queue_deadline) > 0 and job.spent == '0' and not job.upstream then
    redis.call('ZADD', prefix .. 'deadlines', int(tonumber(job.queued) + tonumber(job.queue_deadline)), n)
  end
  if job.status == 'in_progress' then move(n, job.project, 'in_progress', 'queued') end
  write(n, 'status', 'queued')
  if due > now then
    write(n, 'stage', 'delayed', 'due', int(due), 'reason', reason)
    redis.call('ZADD', prefix .. 'delayed', int(due), n)
  else
    clear(n, 'due', 'reason')
    enqueue(n)
  end
end

-- Tells the worker to hang up on the call that it makes for the job.
local function call_off(n, worker)
  redis.call('SADD', worker_cancels_key(worker), n)
  redis.call('PEXPIRE', worker_cancels_key(worker), 600000)
end
