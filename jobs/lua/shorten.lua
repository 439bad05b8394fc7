#!lua flags=allow-oom
-- Parts: base
-- Has a line be kept for no longer than was asked, now that its batch needs it no more; for a minute at least, as any job.
-- KEYS: 1 job:N   ARGV: 1 prefix  2 N
-- Returns 'shortened', or 'kept' where nothing shorter was asked, it is gone, or a newer release wrote it. Twice: 'kept'.
local n = ARGV[2]
local job = look_up(n, 'project', 'status', 'finished', 'expires', 'asked_retention', 'schema')
if not job.asked_retention or too_new(job.schema) then return 'kept' end
write(n, 'retention', job.asked_retention)
clear(n, 'asked_retention')
if not ended(job.status) then return 'shortened' end -- it was tried again by hand: its next end takes the rest
local asked = math.max(now + 60000, tonumber(job.finished) + tonumber(job.asked_retention))
local expires = math.min(tonumber(job.expires), asked)
write(n, 'expires', int(expires))
redis.call('ZADD', prefix .. 'ended', 'XX', 'LT', int(expires), job.project .. ':' .. n)
for _, key in ipairs({KEYS[1], attempts_key(n), log_key(n)}) do redis.call('PEXPIREAT', key, int(expires + DAY)) end
return 'shortened'
