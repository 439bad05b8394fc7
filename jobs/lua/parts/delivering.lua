-- How deliveries are handed to senders and taken back, and what an origin's answers say of it.

local LEAST_WIDTH, MOST_WIDTH = 4, 64
local WINDOW = 300000
local SLOW = 5000
local FORGIVEN = 1.5 * DAY

-- Hands the delivery to a sender, which is to claim it within `claim_ms`.
local function hand_over(d, origin, sender, dispatch, claim_ms)
  redis.call('ZREM', origin_due_key(origin), d)
  redis.call('SADD', origin_slots_key(origin), d)
  redis.call('SADD', project_sending_key(origin:match('^([^|]*)|')), d)
  redis.call('SADD', sender_deliveries_key(sender), d)
  redis.call('ZADD', prefix .. 'deliveries_released', int(now + claim_ms), d)
  redis.call('HSET', delivery_key(d), 'stage', 'released', 'sender', sender, 'dispatch', dispatch)
end

-- Writes an attempt's entry. It may fail, as where memory is short: what has become of the delivery stands before.
local function log_attempt(d, entry)
  redis.pcall('RPUSH', delivery_log_key(d), entry)
  redis.pcall('LTRIM', delivery_log_key(d), -50, -1)
  local left = redis.call('PTTL', delivery_key(d))
  if left > 0 then redis.call('PEXPIRE', delivery_log_key(d), left) end
end

-- Takes back a delivery that its sender no longer holds. One that was being sent may have arrived: it is sent again, the
-- receiver knows it by its id; ten such losses are enough.
local function recover_delivery(d)
  local delivery = read_delivery(d, 'stage', 'attempt', 'started', 'trigger')
  if delivery.stage ~= 'released' and delivery.stage ~= 'sending' then return withdraw_delivery(d) end
  withdraw_delivery(d)
  if delivery.stage == 'released' then return enqueue_delivery(d, now) end
  if redis.call('HINCRBY', delivery_key(d), 'lost', 1) >= 10 then
    end_delivery(d, 'exhausted', 'unknown')
  else
    set_status(d, 'retrying')
    redis.call('HSET', delivery_key(d), 'error', 'unknown')
    enqueue_delivery(d, now + 1000)
  end
  log_attempt(d, cjson.encode({number = tonumber(delivery.attempt), started_at = tonumber(delivery.started) / 1000,
    error = 'unknown', trigger = delivery.trigger}))
end

-- Recovers at most `most` of what the sender's set names, and answers how many.
local function recover_deliveries(sender, most)
  local held = redis.call('SRANDMEMBER', sender_deliveries_key(sender), most)
  for _, d in ipairs(held) do
    if redis.call('HGET', delivery_key(d), 'sender') == sender then recover_delivery(d) end
    redis.call('SREM', sender_deliveries_key(sender), d)
  end
  return #held
end

local function forget_sender(sender)
  redis.call('ZREM', prefix .. 'senders', sender)
  redis.call('DEL', sender_key(sender), worker_queue_key(sender))
end

-- Breaker: ten faults in a row, or seven of ten attempts within five minutes, close an origin for a while; then one
-- delivery probes it.
local function open_breaker(origin, openings)
  local pause = math.min(30000 * 2 ^ math.min(openings, 10), WINDOW)
  redis.call('HSET', origin_key(origin), 'open_until', int(now + pause), 'openings', openings + 1, 'width', LEAST_WIDTH,
    'tries', 0, 'faults', 0, 'row', 0)
end

-- What an attempt's outcome says of the origin: 'up', 'fault', 'throttled' (pause for so many ms), or 'unmoved'. One whose
-- answers take long (`took` ms) is well, but gets no more at a time: each would hold a slot for as long.
local function hear_origin(origin, said, pause, took)
  if said == 'unmoved' then return end
  local key = origin_key(origin)
  local state = fields_of(key, 'width', 'tries', 'faults', 'row', 'window', 'open_until', 'openings', 'paused_until')
  for name, value in pairs(state) do state[name] = tonumber(value) end
  local width = state.width or LEAST_WIDTH
  if said == 'up' then
    redis.call('HDEL', key, 'open_until', 'openings', 'row')
  end
  if said == 'up' and took < SLOW then
    width = math.min(MOST_WIDTH, width + 1)
  else
    width = math.max(LEAST_WIDTH, math.floor(width / 2))
  end
  local fresh = now - (state.window or 0) > WINDOW
  local tries, faults = (fresh and 0 or state.tries or 0) + 1, (fresh and 0 or state.faults or 0)
  local row = said == 'up' and 0 or (state.row or 0) + 1
  if said ~= 'up' then faults = faults + 1 end
  redis.call('HSET', key, 'width', width, 'tries', tries, 'faults', faults, 'row', row, 'window', int(fresh and now or state.window))
  redis.call('PEXPIRE', key, int(DAY))
  if said == 'throttled' then
    redis.call('HSET', key, 'paused_until', int(math.max(state.paused_until or 0, now + pause)))
  end
  if said == 'up' then
    if state.open_until then look_at(origin, now) end
  elseif state.open_until then
    if now >= state.open_until then open_breaker(origin, state.openings or 1) end
  elseif row >= 10 or (tries >= 10 and faults >= 0.7 * tries) then
    open_breaker(origin, 0)
  end
end

-- Registered endpoints ------------------------------------------------------------------------------------------------

local function disable_endpoint(endpoint, reason, retention)
  local known = fields_of(endpoint_key(endpoint), 'project', 'origin', 'status')
  if known.status ~= 'enabled' then return '' end
  redis.call('HSET', endpoint_key(endpoint), 'status', 'disabled', 'disabled_reason', reason, 'disabled_at', int(now))
  redis.call('HDEL', routes_key(known.project), endpoint)
  routes[known.project] = nil
  local id = 'evt_' .. redis.sha1hex(endpoint .. int(now_us)):sub(1, 34)
  local own = cjson.encode({project = known.project, origin = known.origin, reason = reason})
  emit({id = id, type = 'webhook_endpoint.disabled', project = known.project, retention = retention,
    body = event_body(id, 'webhook_endpoint.disabled', endpoint, own)}, nil)
  return reason
end

-- Keeps how the endpoint does. Answers why it has just been disabled, or ''.
local function hear_endpoint(endpoint, status, retention, disable_ms)
  if endpoint == '' or redis.call('EXISTS', endpoint_key(endpoint)) == 0 then return '' end
  if status == 'delivered' then
    redis.call('HSET', endpoint_key(endpoint), 'last_success', int(now))
    redis.call('HDEL', endpoint_key(endpoint), 'failing_since')
    return ''
  end
  local known = fields_of(endpoint_key(endpoint), 'failing_since', 'last_failure')
  -- A failure that nothing followed for longer than any schedule waits is not days of failure.
  local quiet = now - tonumber(known.last_failure or 0) > FORGIVEN
  local since = known.failing_since and not quiet and tonumber(known.failing_since) or now
  redis.call('HSET', endpoint_key(endpoint), 'failing_since', int(since), 'last_failure', int(now))
  if status == 'gone' then return disable_endpoint(endpoint, 'gone', retention) end
  return now - since >= disable_ms and disable_endpoint(endpoint, 'failing', retention) or ''
end
