-- Jobs that an older release accepted.

-- Gives the record what it lacks, and a place in a backlog if it waits. Answers whether it lacked anything.
local function adopt(n)
  local job = read(n, 'status', 'stage', 'backlog', 'project', 'model', 'created', 'tokens', 'worker', 'schema')
  if not job.status or job.backlog or job.schema then return false end
  -- An older worker that runs it still will end it without giving back what is held for it here.
  local elsewhere = job.worker and redis.call('ZSCORE', prefix .. 'workers', job.worker)
    and redis.call('HGET', worker_key(job.worker), 'generation') ~= GENERATION
  if elsewhere then job.tokens = '0' end
  local created = tonumber(job.created)
  write(n, 'backlog', '*:' .. job.model, 'schema', GENERATION, 'priority', 5, 'order', int(created - 300000000),
    'queued', int(math.floor(created / 1000)), 'nano_held', 0, 'snoozes', 0, 'tokens', job.tokens)
  clear(n, 'reserved')
  if not ended(job.status) then hold(job.project, tonumber(job.tokens), 0) end
  if job.stage == 'waiting' then enqueue(n) end
  return true
end
