#!lua flags=allow-oom
-- Parts: base metric lane queue budget ledger
-- Puts a running job back into the queue: a retry spends an attempt, a snooze does not.
-- KEYS: 1 job:N
-- ARGV: 1 prefix  2 N  3 attempt  4 ms to wait
--       5 'retry', 'retry_unless_down' (a snooze while the lane's breaker is open), 'snooze', or 'poll_later' (a snooze of a
--         job whose response goes on upstream)
--       6 waiting reason  7 attempt's closing fields as JSON  8 tokens and cost to book as JSON {name: count} or ''
-- Returns 1, or 0 if that attempt is not the one under way (it ended, was cancelled or recovered), or 2, with nothing
-- changed, if a 'retry_unless_down' would have to spend the last attempt. Twice: 0, or 2 again.
local n, way = ARGV[2], ARGV[5]
local job = read(n, 'status', 'stage', 'attempt', 'lane', 'spent', 'snoozes', 'max_attempts')
if not job.status then return 0 end
local fields = cjson.decode(ARGV[7])
if way == 'retry_unless_down' then
  local down = redis.call('HGET', lane_key(job.lane), 'probe')
  local under_way = job.attempt == ARGV[3] and job.stage == 'running'
  if under_way and not down and tonumber(job.spent) + 1 >= tonumber(job.max_attempts) then return 2 end
  way = down and 'snooze' or 'retry'
  if down then fields.outcome = 'snoozed' end
end
-- One that fails as a probe, or is refused again and again, goes behind the others: it may be the job, and they wait for it.
local behind = redis.call('HGET', lane_key(job.lane), 'probe') or (way == 'snooze' and tonumber(job.snoozes or 0) >= 5)
if job.attempt == ARGV[3] and job.stage == 'running' and way ~= 'poll_later' then clear(n, 'upstream') end
if way == 'poll_later' then fields.goes_on = true end
local kind = fields.kind or 'unknown'
local news = close_attempt(n, tonumber(ARGV[3]), fields, ARGV[8] ~= '' and cjson.decode(ARGV[8]) or nil)
if job.attempt ~= ARGV[3] then return 0 end
if ended(job.status) then withdraw(n) return 0 end
if job.stage ~= 'running' or not news then return 0 end
raise(n, way == 'retry' and 'spent' or 'snoozes')
clear(n, 'lost') -- its worker outlived it
if behind then write(n, 'order', int(now_us)) end
meter('put_backs\n' .. way .. '\n' .. kind .. '\n' .. counted_as(job.lane), 1)
requeue(n, now + tonumber(ARGV[4]), ARGV[6])
return 1
