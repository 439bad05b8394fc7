#!lua flags=allow-oom
-- Ends a job with the outcome of an attempt. The first valid result wins, also one that comes late;
-- a failure counts only from the attempt that is under way.
-- KEYS: 1 job:N
-- ARGV: 1 prefix  2 N  3 attempt  4 status  5 attempt's closing fields as JSON  6 tokens to book as JSON {name: count} or ''
--       7… the record's fields, flat (response, raw, usage, error)
-- Returns 'finished', 'already' (this attempt's end is written), 'late' (it had ended otherwise) or 'stale'.
-- Twice: 'already'.
local n, attempt = ARGV[2], tonumber(ARGV[3])
local job = read(n, 'status', 'stage', 'attempt', 'ended_by', 'lane', 'worker')
if not job.status then return 'late' end
if job.ended_by == ARGV[3] then return 'already' end
local current = job.attempt == ARGV[3]
local under_way = current and job.stage == 'running'
if not ended(job.status) and not under_way and ARGV[4] == 'failed' then return 'stale' end

close_attempt(n, attempt, cjson.decode(ARGV[5]), ARGV[6] ~= '' and cjson.decode(ARGV[6]) or nil)
if ended(job.status) then
  if current then withdraw(n) end
  return 'late'
end
redis.call('HDEL', lane_key(job.lane), 'probe')
if under_way then redis.call('HINCRBY', KEYS[1], 'spent', 1) end
-- Another attempt that is under way is called off; it keeps its slot until its worker has hung up.
local other = not current and job.stage == 'running'
if other then call_off(n, job.worker) end
finish(n, ARGV[4], {'ended_by', ARGV[3], unpack(ARGV, 7)}, other)
return 'finished'
