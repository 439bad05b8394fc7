#!lua flags=allow-oom
-- Parts: base metric webhook
-- Owes deliveries that have ended once more, now and with a schedule of their own. The event and its id stay; so does the log.
-- ARGV: 1 prefix  2 project, or '' for any  3… deliveries
-- Returns for each 'replayed' | 'missing' | 'open' | 'endpoint_deleted' | 'endpoint_disabled'.
-- Twice: 'open', as long as the first is.
local function refusal_of(delivery)
  if not delivery.status or (ARGV[2] ~= '' and delivery.project ~= ARGV[2]) then return 'missing' end
  if CLASSES[delivery.status] == 'open' then return 'open' end
  if delivery.endpoint == '' then return nil end
  local status = redis.call('HGET', endpoint_key(delivery.endpoint), 'status')
  if not status then return 'endpoint_deleted' end
  return status ~= 'enabled' and 'endpoint_disabled' or nil
end

local answers = {}
for i = 3, #ARGV do
  local d = ARGV[i]
  local delivery = read_delivery(d, 'project', 'status', 'endpoint')
  local refusal = refusal_of(delivery)
  if not refusal then
    redis.call('PERSIST', delivery_key(d))
    redis.call('PERSIST', delivery_log_key(d))
    redis.call('HDEL', delivery_key(d), 'ended')
    redis.call('HSET', delivery_key(d), 'step', 0, 'lost', 0, 'trigger', 'manual', 'error', '')
    if delivery.endpoint ~= '' then -- which may be elsewhere by now
      local origin = redis.call('HGET', endpoint_key(delivery.endpoint), 'origin')
      redis.call('HSET', delivery_key(d), 'origin', delivery.project .. '|' .. origin)
    end
    set_status(d, 'pending', int(now_us + i))
    enqueue_delivery(d, now)
  end
  table.insert(answers, refusal or 'replayed')
end
return answers
