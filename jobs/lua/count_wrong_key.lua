#!lua flags=allow-oom
-- Parts: base
-- Counts a credential that was none, for the place that it came from.
-- KEYS: 1 wrong_keys:PLACE
-- ARGV: 1 prefix  2 ms that a window lasts
-- Returns {how many there were in this window, ms until it ends}. Twice: counts two. The key goes with its window.
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return {count, redis.call('PTTL', KEYS[1])}
