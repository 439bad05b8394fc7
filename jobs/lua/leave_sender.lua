#!lua flags=allow-oom
-- Parts: base metric webhook delivering
-- A sender goes for good: what it still holds is sent again by others, a bounded piece at a call.
-- KEYS: 1 delivery_lead   ARGV: 1 prefix  2 sender  3 most deliveries to recover
-- Returns {recovered, deliveries it still holds: call again}. Twice: {0, 0}.
local recovered = recover_deliveries(ARGV[2], tonumber(ARGV[3]))
local left = redis.call('SCARD', sender_deliveries_key(ARGV[2]))
-- Should nobody call again, a sweep goes on.
if left == 0 then forget_sender(ARGV[2]) else redis.call('ZADD', prefix .. 'senders', 0, ARGV[2]) end
if redis.call('GET', KEYS[1]) == ARGV[2] then redis.call('DEL', KEYS[1]) end
wake_deliveries()
return {recovered, left}
