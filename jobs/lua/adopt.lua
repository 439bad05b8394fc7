#!lua flags=allow-oom
-- Parts: base lane queue budget
-- Takes over jobs that an older release accepted: gives their records what they lack, and a place in a backlog.
-- ARGV: 1 prefix  2… job numbers
-- Returns how many it took over. Twice: 0.
local adopted = 0
for i = 2, #ARGV do
  local n = ARGV[i]
  local job = read(n, 'status', 'stage', 'backlog', 'project', 'model', 'created', 'tokens')
  if job.status and not job.backlog then
    redis.call('HSET', job_key(n), 'backlog', '*:' .. job.model, 'priority', 5, 'order', job.created,
      'queued', int(math.floor(tonumber(job.created) / 1000)), 'nano_held', 0, 'snoozes', 0)
    if not ended(job.status) then hold(job.project, tonumber(job.tokens), 0) end
    if job.stage == 'waiting' then enqueue(n) end
    adopted = adopted + 1
  end
end
return adopted
