#!lua flags=allow-oom
-- Parts: base lane queue budget ledger webhook batch ending
-- Ends a job with the outcome of an attempt. The first valid result wins, also one that comes late;
-- a failure counts only from the attempt that is under way.
-- KEYS: 1 job:N
-- ARGV: 1 prefix  2 N  3 attempt  4 status  5 attempt's closing fields as JSON  6 tokens and cost to book as JSON {name: count} or ''
--       7… the record's fields, flat (response, raw, usage, error)
-- Returns 'finished', 'already' (this attempt's end is written), 'late' (it had ended otherwise) or 'stale'.
-- Twice: 'already'.
local n, attempt = ARGV[2], tonumber(ARGV[3])
local job = read(n, 'status', 'stage', 'attempt', 'ended_by', 'lane', 'worker', 'released')
if not job.status then return 'late' end
if job.ended_by == ARGV[3] then return 'already' end
local current = job.attempt == ARGV[3]
local under_way = current and job.stage == 'running'

-- The endpoint answers: whatever was held against the lane is over. How long its slot was taken tells when others may start.
local function hear(lane)
  if redis.call('HGET', lane_key(lane), 'probe') then tell(lane, 'an answer came; it is open again') end
  redis.call('HDEL', lane_key(lane), 'probe', 'probe_job', 'faults', 'openings')
  redis.call('LPUSH', runs_key(lane), int(now - tonumber(job.released or now)))
  redis.call('LTRIM', runs_key(lane), 0, 255)
  redis.call('PEXPIRE', runs_key(lane), int(DAY))
end

local fields = cjson.decode(ARGV[5])
local answered = fields.delivery == 'answered' and (fields.http_status or 200) < 500
close_attempt(n, attempt, fields, ARGV[6] ~= '' and cjson.decode(ARGV[6]) or nil)
if ended(job.status) then
  if current then withdraw(n) end
  return 'late'
end
if not under_way and ARGV[4] == 'failed' then return 'stale' end
if under_way and answered then hear(job.lane) end
if under_way or redis.call('HGET', KEYS[1], 'spent') == '0' then redis.call('HINCRBY', KEYS[1], 'spent', 1) end
-- Another attempt that is under way is called off; it keeps its slot until its worker has hung up.
local other = not current and job.stage == 'running'
if other then call_off(n, job.worker) end
finish(n, ARGV[4], {'ended_by', ARGV[3], unpack(ARGV, 7)}, other)
return 'finished'
