#!lua flags=allow-oom
-- Parts: base
-- Records, before the first byte goes out, that attempt A of the job is being sent: from here on it may be billed.
-- KEYS: 1 job:N   ARGV: 1 prefix  2 worker id  3 attempt
-- Returns 1, or 0 if the job is no longer this worker's: then nothing may be sent. Twice: the same.
local held = redis.call('HMGET', KEYS[1], 'worker', 'attempt', 'stage')
if held[1] ~= ARGV[2] or held[2] ~= ARGV[3] or held[3] ~= 'running' then return 0 end
redis.call('HSET', KEYS[1], 'sent', ARGV[3])
return 1
