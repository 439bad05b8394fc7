#!lua flags=allow-oom
-- Parts: base metric lane queue budget ledger webhook batch ending silence absence
-- Puts right what time alone shows to be wrong, a bounded piece at a call; any worker calls it about once a second.
-- KEYS: 1 sweep lease
-- ARGV: 1 prefix  2 ms in which one sweep is enough  3 most jobs of each kind  4 lease ms of a worker  5 ms until a release is taken back
-- Returns {recovered from dead workers, taken back unclaimed, now due, past their deadline, forgotten}, or {} if another swept just now.
-- Twice: does the next piece. The lease expires by itself.
-- It lasts for longer than it says: workers of an older release, which look whether it is there alone, do not sweep beside us.
local last = redis.call('GET', KEYS[1])
if last and math.abs(now - tonumber(last)) < tonumber(ARGV[2]) then return {} end
redis.call('SET', KEYS[1], int(now), 'PX', 6000)
local most = tonumber(ARGV[3])
local function due(name) return redis.call('ZRANGEBYSCORE', prefix .. name, '-inf', int(now), 'LIMIT', 0, most) end

-- The jobs among them that this release knows; the others are looked at again in a minute.
local function due_jobs(name)
  local known = {}
  for _, n in ipairs(due(name)) do
    if too_new(record(n).schema) then redis.call('ZADD', prefix .. name, int(now + 60000), n)
    else table.insert(known, n) end
  end
  return known
end

local away, before = absence('swept', tonumber(ARGV[4]))
if away then
  renew_all('workers', worker_key, tonumber(ARGV[4]), away, before)
  renew_due('dispatched', tonumber(ARGV[5]))
end

local recovered = 0
for _, worker in ipairs(due('workers')) do
  recovered = recovered + recover_from(worker, most - recovered)
  if redis.call('SCARD', worker_jobs_key(worker)) == 0 then forget_worker(worker) end
  if recovered >= most or owed >= MOST_OWED then break end
end

local unclaimed = due_jobs('dispatched')
for _, n in ipairs(unclaimed) do
  local worker = record(n).worker
  if worker and redis.call('ZSCORE', prefix .. 'workers', worker) then
    redis.call('HSET', worker_key(worker), 'stalled', int(now))
  end
  requeue(n, 0, '')
end

-- What a worker that has fallen silent did not claim is not left to its lease: nothing was sent.
local function take_back(worker)
  for _, n in ipairs(redis.call('SRANDMEMBER', worker_jobs_key(worker), most)) do
    local job = read(n, 'worker', 'stage', 'schema')
    if job.worker == worker and job.stage == 'dispatched' and not too_new(job.schema) then
      requeue(n, 0, '')
      table.insert(unclaimed, n)
    end
  end
end

for _, worker in ipairs(away and {} or redis.call('ZRANGEBYSCORE', prefix .. 'workers', '(' .. int(now), '+inf')) do
  if silent(redis.call('HGET', worker_key(worker), 'beat')) then take_back(worker) end
end
count('unclaimed_jobs', #unclaimed)

local ready = due_jobs('delayed')
for _, n in ipairs(ready) do requeue(n, 0, '') end

local late = 0
for _, n in ipairs(due_jobs('deadlines')) do
  if owed >= MOST_OWED then break end
  late = late + 1
  redis.call('ZREM', prefix .. 'deadlines', n)
  if record(n).status == 'queued' then
    meter('expired', 1)
    fail(n, 'expired', 'the job was still queued at its queue_deadline_seconds')
  end
end

local old = due('ended')
for _, entry in ipairs(old) do
  local project, n = entry:match('^(.*):(%x+)$')
  redis.call('ZREM', prefix .. 'ended', entry)
  withdraw(n)
  for _, status in ipairs({'completed', 'failed', 'incomplete', 'cancelled'}) do
    redis.call('ZREM', index_key(project, status), n)
  end
  erase(n)
end
return {recovered, #unclaimed, #ready, late, #old}
