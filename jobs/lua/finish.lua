#!lua flags=allow-oom
-- Ends a job with the outcome of an attempt. The first valid result wins, also one that comes late;
-- a failure counts only from the attempt that is under way.
-- KEYS: 1 job:N
-- ARGV: 1 prefix  2 N  3 attempt  4 status  5 attempt's closing fields as JSON  6 tokens to book as JSON {name: count} or ''
--       7… the record's fields, flat (response, raw, usage, error)
-- Returns 'finished', 'already' (this attempt's end is written), 'late' (it had ended otherwise) or 'stale'.
-- Twice: 'already'.
local n, number = ARGV[2], tonumber(ARGV[3])
local job = read(n, 'status', 'stage', 'attempt', 'ended_by', 'lane', 'tokens', 'worker')
if not job.status then return 'late' end
if job.ended_by == ARGV[3] then return 'already' end
local current = tonumber(job.attempt or 0) == number
local under_way = current and job.stage == 'running'
if not ended(job.status) and not under_way and ARGV[4] == 'failed' then return 'stale' end

local news = close_attempt(n, number, cjson.decode(ARGV[5]))
if news and ARGV[6] ~= '' then
  book(n, cjson.decode(ARGV[6]))
end
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
