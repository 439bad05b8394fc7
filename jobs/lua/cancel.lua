#!lua flags=allow-oom
-- Parts: base metric lane queue budget ledger webhook batch ending
-- Cancels a job: at once and free if it waits (unless its response goes on upstream); if it runs, its worker is told to hang up and the slot stays taken until then.
-- KEYS: 1 job:N   ARGV: 1 prefix  2 N  3 project, or '' for any
-- Returns 'cancelled', 'ended' (it had ended before), 'missing' or 'too_new'. Twice: 'ended'.
local n = ARGV[2]
local job = read(n, 'status', 'stage', 'project', 'worker', 'attempt', 'sent', 'upstream', 'lane', 'schema')
if not job.status or (ARGV[3] ~= '' and job.project ~= ARGV[3]) then return 'missing' end
if too_new(job.schema) then return 'too_new' end
if ended(job.status) then return 'ended' end
local running = job.stage == 'running'
if running then
  local sent = job.sent ~= nil and job.sent == job.attempt
  close_attempt(n, tonumber(job.attempt),
    {outcome = 'cancelled', delivery = sent and 'sent' or 'not_sent', may_be_billed = sent}, nil)
  call_off(n, job.worker)
elseif job.upstream then
  orphan(job)
  close_attempt(n, tonumber(job.attempt), {outcome = 'cancelled', delivery = 'sent', may_be_billed = true}, nil)
end
finish(n, 'cancelled', {}, running)
return 'cancelled'
