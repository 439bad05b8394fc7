#!lua flags=allow-oom
-- Parts: base lane queue budget clock gate turns message silence
-- Releases what the limits and the free slots of live workers allow, and sends each worker one message for its share.
-- Workers of an older release lead no more and get no new jobs while one of this release leads; what they run goes on.
-- KEYS: 1 leader (who leads)
-- ARGV: 1 prefix  2 worker id  3 lease ms of the lead  4 limits as JSON  5 most jobs to release  6 ms until a release is taken back
--       7 Celery message template as JSON, whose args are filled in here  8 ms after which a call that is up has connected
-- Returns {1 leads or 0, jobs released, ms until something may go next (-1: not before the next wake), lines for the log}.
-- Twice: releases more, if more may go. The lead expires by itself; lanes forget themselves a day after their last use.
local leader = redis.call('GET', KEYS[1])
if leader and leader ~= ARGV[2] then return {0, 0, -1, {}} end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
-- The place from which those of an older release lead.
redis.call('SET', prefix .. 'dispatcher', 'a newer release', 'PX', 6000)
limits, probe_ms = cjson.decode(ARGV[4]), tonumber(ARGV[8])
-- Workers -------------------------------------------------------------------------------------------------------------

local workers, free = {}, 0
for _, id in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'workers', '(' .. int(now), '+inf')) do
  local state = redis.call('HMGET', worker_key(id), 'slots', 'stalled', 'generation', 'beat', 'suspect')
  local room = tonumber(state[1] or '0') - redis.call('SCARD', worker_jobs_key(id))
  -- One that left a release unclaimed is passed over for a while: its Celery side may hang.
  if room > 0 and now - tonumber(state[2] or 0) > 10000 and state[3] == GENERATION and not silent(state[4]) then
    local watched = state[5] and redis.call('SISMEMBER', worker_jobs_key(id), state[5]) == 1
    table.insert(workers, {id = id, room = room, jobs = {}, watched = watched})
    free = free + room
  end
end

-- The worker for the job: the one with the most free slots.
local function worker_for(job)
  local best = nil
  for _, worker in ipairs(workers) do
    local may = worker.room > 0 and not (job.suspect and worker.watched)
    if may and (not best or worker.room > best.room) then best = worker end
  end
  return best
end

-- Release -------------------------------------------------------------------------------------------------------------

-- A job counts as one request, or as many as its tokens take of the lane's minute, if that is more.
local function service_of(lane, job)
  if job.upstream then return 0 end
  if not lane.request_rate or not lane.token_rate then return 1 end
  return math.max(1, job.tokens * lane.request_rate / lane.token_rate)
end

-- Answers the tokens that the lane reserves for it.
local function take_from(lane, job)
  lane.in_flight = lane.in_flight + 1
  if lane.probe and not job.upstream then
    lane.probe_job, lane.probe_at = job.n, now
    redis.call('HSET', lane_key(lane.name), 'probe_job', job.n, 'probe_at', int(now))
  end
  if job.upstream then return nil end
  if lane.ramp and lane.in_flight > lane.level then
    charge(lane.ramp, 1)
    lane.level = lane.in_flight
  end
  charge(lane.requests, 1)
  charge(lane.tokens, job.tokens)
  lane.starts, lane.start_tokens = lane.starts + 1, lane.start_tokens + job.tokens
  return job.tokens
end

local dispatch = nil
local function release(backlog, lane, job, worker)
  local n, project = job.n, projects[job.project]
  if not dispatch then dispatch = int(redis.call('HINCRBY', prefix .. 'counters', 'dispatches', 1)) end
  redis.call('ZREM', queue_key(backlog.name, job.project), n)
  redis.call('ZADD', projects_key(backlog.name), job.service + service_of(lane, job) / (project.weight or 1), job.project)
  redis.call('SADD', slots_key(lane.name), n)
  redis.call('SADD', project_slots_key(job.project), n)
  redis.call('SADD', worker_jobs_key(worker.id), n)
  redis.call('ZADD', prefix .. 'dispatched', int(now + tonumber(ARGV[6])), n)
  local reserved = take_from(lane, job)
  write(n, 'stage', 'dispatched', 'dispatch', dispatch, 'worker', worker.id, 'lane', lane.name, 'released', int(now),
    unpack(reserved and {'reserved', reserved} or {}))
  if job.suspect then
    redis.call('HSET', worker_key(worker.id), 'suspect', n)
    worker.watched = true
  end
  table.insert(worker.jobs, n)
  worker.room, free = worker.room - 1, free - 1
  project.in_flight = project.in_flight + 1
  backlog.service = job.service
end

local backlogs = {}
for i, name in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'backlogs', '-inf', int(now_us), 'LIMIT', 0, 256)) do
  backlogs[i] = open_backlog(name)
end
table.sort(backlogs, function(one, other) return one.last < other.last end)
local left, turn, released = tonumber(ARGV[5]), 1, 0
while #backlogs > 0 and left > 0 do
  if turn > #backlogs then turn = 1 end
  local backlog = backlogs[turn]
  local job, lane, reason, wait, empty = next_of(backlog)
  local worker = job and free > 0 and worker_for(job)
  if worker then
    release(backlog, lane, job, worker)
    left, turn, released = left - 1, turn + 1, released + 1
    backlog.served = now_us - left -- those served in one run have an order, too
  elseif job and free > 0 then
    requeue(job.n, now + 500, 'worker_lost') -- each worker has another of its kind
    left = left - 1
  else
    table.remove(backlogs, turn)
    rest(backlog, job and 'no_worker' or reason, wait, empty)
  end
end
for _, backlog in ipairs(backlogs) do rest(backlog, '', 0, false) end
for _, lane in pairs(opened) do save(lane) end

for _, worker in ipairs(workers) do post(worker.id, worker.jobs, dispatch, ARGV[7]) end

redis.call('SET', prefix .. 'asleep', '1', 'PX', 60000)
local changes = redis.call('LRANGE', prefix .. 'lane_changes', 0, -1)
if #changes > 0 then redis.call('DEL', prefix .. 'lane_changes') end
local wait = -1
if #backlogs > 0 then wait = 0
elseif free > 0 then
  local first = redis.call('ZRANGE', prefix .. 'backlogs', 0, 0, 'WITHSCORES')
  if first[2] and first[2] ~= 'inf' then wait = math.max(0, math.ceil(tonumber(first[2]) / 1000 - now)) end
end
return {1, released, wait, changes}
