#!lua flags=allow-oom
-- Parts: base metric webhook delivering
-- Writes what came of an attempt: the delivery ends or waits for its next attempt, its origin and its endpoint hear of it.
-- A success counts also from an attempt that was given up for lost.
-- ARGV: 1 prefix  2 D  3 attempt  4 status (delivered | retrying | exhausted | gone | blocked)  5 ms to wait for a next attempt
--       6 what it says of the origin (up | fault | throttled | unmoved)  7 ms to pause the origin  8 '1' if the schedule goes on a step
--       9 the attempt's entry as JSON  10 error or ''  11 ms of failure after which its endpoint is disabled
-- Returns {'settled' or 'late', why its endpoint has just been disabled or ''}. Twice: 'late'.
local d, status = ARGV[2], ARGV[4]
local delivery = read_delivery(d, 'stage', 'attempt', 'origin', 'endpoint', 'retention', 'started')
if not delivery.stage then return {'late', ''} end
local current = delivery.attempt == ARGV[3] and delivery.stage == 'sending'
if not current and (status ~= 'delivered' or delivery.stage == 'ended') then return {'late', ''} end

hear_origin(delivery.origin, ARGV[6], tonumber(ARGV[7]), now - tonumber(delivery.started))
if ARGV[8] == '1' then redis.call('HINCRBY', delivery_key(d), 'step', 1) end
if status == 'retrying' then
  withdraw_delivery(d)
  set_status(d, 'retrying')
  redis.call('HSET', delivery_key(d), 'error', ARGV[10], 'trigger', 'schedule')
  enqueue_delivery(d, now + tonumber(ARGV[5]))
else
  end_delivery(d, status, ARGV[10])
end
local disabled = ''
if ARGV[6] ~= 'unmoved' or status == 'blocked' then
  disabled = hear_endpoint(delivery.endpoint, status, tonumber(delivery.retention), tonumber(ARGV[11]))
end
log_attempt(d, ARGV[9])
local read, entry = pcall(cjson.decode, ARGV[9])
if read then
  local http_status = tonumber(entry.http_status)
  meter('delivery_attempts\n' .. (http_status and class_of(http_status) or entry.error or 'unknown'), 1)
  meter_time('delivery', '', tonumber(entry.latency_ms))
end
return {'settled', disabled}
