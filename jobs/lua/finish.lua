#!lua flags=allow-oom
-- Parts: base metric lane queue budget ledger webhook batch ending
-- Ends a job with the outcome of an attempt. The first valid result wins, also one that comes late;
-- a failure counts only from the attempt that is under way.
-- KEYS: 1 job:N
-- ARGV: 1 prefix  2 N  3 attempt  4 status  5 attempt's closing fields as JSON  6 tokens and cost to book as JSON {name: count} or ''
--       7… the record's fields, flat (response, raw, usage, error)
-- Returns 'finished', 'already' (this attempt's end is written), 'late' (it had ended otherwise) or 'stale'.
-- Twice: 'already'.
local n, attempt = ARGV[2], tonumber(ARGV[3])
local job = read(n, 'status', 'stage', 'attempt', 'ended_by', 'lane', 'worker', 'released', 'spent')
if not job.status then return 'late' end
if job.ended_by == ARGV[3] then return 'already' end
local current = job.attempt == ARGV[3]
local under_way = current and job.stage == 'running'

local fields = cjson.decode(ARGV[5])
local answered = fields.delivery == 'answered' and (fields.http_status or 200) < 500
local kind = fields.kind
close_attempt(n, attempt, fields, ARGV[6] ~= '' and cjson.decode(ARGV[6]) or nil)
if ended(job.status) then
  if current then withdraw(n) end
  return 'late'
end
if not under_way and ARGV[4] == 'failed' then return 'stale' end
if under_way and answered then hear(job.lane, now - tonumber(job.released or now)) end
if under_way or job.spent == '0' then raise(n, 'spent') end
-- Another attempt that is under way is called off; it keeps its slot until its worker has hung up.
local other = not current and job.stage == 'running'
if other then call_off(n, job.worker) end
if kind then meter('given_up\n' .. kind .. '\n' .. counted_as(job.lane), 1) end
finish(n, ARGV[4], {'ended_by', ARGV[3], unpack(ARGV, 7)}, other)
return 'finished'
