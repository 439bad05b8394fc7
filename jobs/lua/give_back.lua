#!lua flags=allow-oom
-- Parts: base lane queue budget ledger webhook batch ending
-- Recovers jobs that a live worker is recorded to run but that none of its threads holds any more.
-- ARGV: 1 prefix  2 worker id  3… job numbers
-- Returns how many were recovered. Twice: 0.
local recovered = 0
for i = 3, #ARGV do
  local job = read(ARGV[i], 'stage', 'worker')
  if job.worker == ARGV[2] and job.stage ~= 'dispatched' then
    recover(ARGV[i])
    recovered = recovered + 1
  elseif job.worker ~= ARGV[2] then
    redis.call('SREM', worker_jobs_key(ARGV[2]), ARGV[i])
  end
end
return recovered
