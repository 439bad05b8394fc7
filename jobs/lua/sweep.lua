#!lua flags=allow-oom
-- Puts right what time alone shows to be wrong, a bounded piece at a call; any worker calls it about once a second.
-- KEYS: 1 sweep lease
-- ARGV: 1 prefix  2 ms in which one sweep is enough  3 most jobs of each kind
-- Returns {recovered from dead workers, taken back unclaimed, now due, past their deadline, forgotten}, or {} if another swept just now.
-- Twice: does the next piece. The lease expires by itself.
if not redis.call('SET', KEYS[1], '1', 'NX', 'PX', ARGV[2]) then return {} end
local most = tonumber(ARGV[3])
local function due(name) return redis.call('ZRANGEBYSCORE', prefix .. name, '-inf', int(now), 'LIMIT', 0, most) end

local recovered = 0
for _, worker in ipairs(due('workers')) do
  local held = redis.call('SRANDMEMBER', worker_jobs_key(worker), most)
  for _, n in ipairs(held) do recover_from(worker, n) end
  recovered = recovered + #held
  if redis.call('SCARD', worker_jobs_key(worker)) == 0 then
    redis.call('ZREM', prefix .. 'workers', worker)
    redis.call('DEL', prefix .. 'worker:' .. worker, prefix .. 'worker:' .. worker .. ':cancels', prefix .. 'queue:' .. worker)
  end
end

local unclaimed = due('dispatched')
for _, n in ipairs(unclaimed) do
  local worker = redis.call('HGET', job_key(n), 'worker')
  if worker and redis.call('ZSCORE', prefix .. 'workers', worker) then
    redis.call('HSET', prefix .. 'worker:' .. worker, 'stalled', int(now))
  end
  requeue(n, 0, '')
end
count('unclaimed_jobs', #unclaimed)

local ready = due('delayed')
for _, n in ipairs(ready) do requeue(n, 0, '') end

local late = due('deadlines')
for _, n in ipairs(late) do
  redis.call('ZREM', prefix .. 'deadlines', n)
  if redis.call('HGET', job_key(n), 'status') == 'queued' then
    fail(n, 'expired', 'the job was still queued at its queue_deadline_seconds', false)
  end
end

local old = due('ended')
for _, entry in ipairs(old) do
  local project, n = entry:match('^(.*):(%x+)$')
  redis.call('ZREM', prefix .. 'ended', entry)
  withdraw(n)
  for _, status in ipairs({'completed', 'failed', 'incomplete', 'cancelled'}) do
    redis.call('ZREM', prefix .. 'index:' .. project .. ':' .. status, n)
  end
  redis.call('DEL', job_key(n), prefix .. 'attempts:' .. n)
end
return {recovered, #unclaimed, #ready, #late, #old}
