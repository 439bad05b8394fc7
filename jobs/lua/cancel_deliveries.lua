#!lua flags=allow-oom
-- Parts: base metric webhook
-- Cancels a piece of what an endpoint that takes no more is owed; one that is being sent is left to its sender.
-- ARGV: 1 prefix  2 E  3 how many of its open deliveries to pass over  4 most to look at
-- Returns {cancelled, left to their senders}; {0, 0} also if the endpoint is enabled. Twice: does the next piece.
local status = redis.call('HGET', endpoint_key(ARGV[2]), 'status')
if status == 'enabled' then return {0, 0} end
local cancelled, left = 0, 0
local first = tonumber(ARGV[3])
for _, d in ipairs(redis.call('ZRANGE', endpoint_deliveries_key('open', ARGV[2]), first, first + tonumber(ARGV[4]) - 1)) do
  local stage = redis.call('HGET', delivery_key(d), 'stage')
  if stage == 'waiting' or stage == 'released' then
    end_delivery(d, 'cancelled', status and 'endpoint_disabled' or 'endpoint_deleted')
    cancelled = cancelled + 1
  else
    left = left + 1
  end
end
return {cancelled, left}
