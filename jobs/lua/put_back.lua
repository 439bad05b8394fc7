#!lua flags=allow-oom
-- Puts a running job back into the queue: a retry spends an attempt, a snooze does not.
-- KEYS: 1 job:N
-- ARGV: 1 prefix  2 N  3 attempt  4 ms to wait  5 attempts to spend (0 or 1)  6 waiting reason  7 attempt's closing fields as JSON
--       8 tokens to book as JSON {name: count} or ''
-- Returns 1, or 0 if that attempt is not the one under way (it ended, was cancelled or recovered). Twice: 0.
local n = ARGV[2]
local job = read(n, 'status', 'stage', 'attempt')
if not job.status then return 0 end
local news = close_attempt(n, tonumber(ARGV[3]), cjson.decode(ARGV[7]), ARGV[8] ~= '' and cjson.decode(ARGV[8]) or nil)
if job.attempt ~= ARGV[3] then return 0 end
if ended(job.status) then withdraw(n) return 0 end
if job.stage ~= 'running' or not news then return 0 end
if ARGV[5] == '1' then redis.call('HINCRBY', KEYS[1], 'spent', 1) end
requeue(n, now + tonumber(ARGV[4]), ARGV[6])
return 1
