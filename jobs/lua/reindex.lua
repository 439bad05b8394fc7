#!lua flags=allow-oom
-- Parts: base metric lane queue budget adopting ledger webhook batch ending
-- The slow scan: puts a record that no index holds back where its stage says it belongs.
-- ARGV: 1 prefix  2… job numbers
-- Returns how many had to be put back. Twice: 0.
local repaired = 0
for i = 2, #ARGV do
  local n = ARGV[i]
  adopt(n)
  local job = read(n, 'status', 'stage', 'backlog', 'lane', 'upstream', 'project', 'worker', 'due', 'reason', 'expires', 'created', 'schema')
  if too_new(job.schema) then job = {} end
  local held = true
  if job.stage == 'waiting' then
    local backlog = backlog_of(job)
    held = redis.call('ZSCORE', queue_key(backlog, job.project), n) and redis.call('ZSCORE', prefix .. 'backlogs', backlog)
      and (redis.call('ZSCORE', projects_key(backlog), job.project) or redis.call('ZSCORE', parked_key(backlog), job.project))
  elseif job.stage == 'delayed' then held = redis.call('ZSCORE', prefix .. 'delayed', n)
  elseif job.stage == 'dispatched' then held = redis.call('ZSCORE', prefix .. 'dispatched', n)
  elseif job.stage == 'running' then
    held = job.worker and redis.call('ZSCORE', prefix .. 'workers', job.worker)
      and redis.call('SISMEMBER', worker_jobs_key(job.worker), n) == 1
  elseif job.stage == 'ended' then held = redis.call('ZSCORE', prefix .. 'ended', job.project .. ':' .. n) end
  local listed = not job.status or redis.call('ZSCORE', index_key(job.project, job.status), n)
  if not listed then redis.call('ZADD', index_key(job.project, job.status), job.created, n) end
  if not held then
    if job.stage == 'ended' then redis.call('ZADD', prefix .. 'ended', job.expires, job.project .. ':' .. n)
    elseif job.stage == 'running' then recover(n)
    else requeue(n, tonumber(job.due or '0'), job.reason or 'retry_at') end
  end
  if not held or not listed then repaired = repaired + 1 end
end
if repaired > 0 then count('reindexed_jobs', repaired) end
return repaired
