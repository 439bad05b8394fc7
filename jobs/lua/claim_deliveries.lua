#!lua flags=allow-oom
-- Parts: base metric webhook delivering
-- A sender takes the deliveries of one message; each only if it was released to this sender with this dispatch number.
-- ARGV: 1 prefix  2 sender  3 dispatch number  4 nonce of the message's handling  5 most bytes of a Response to hand out  6… deliveries
-- Returns a list of {D, attempt, step, event, type, url, include, body, project, endpoint or '', signer, sealed secrets as JSON,
--   trigger, then each or '': job, request_id, traceparent}, and of the job's end for include 'response' (as far as it is kept and fits) {…, N, status, response or '', echo, error or '',
--   created, finished}.
-- Twice with one nonce: the same answer.
local sender = ARGV[2]

-- Where the delivery goes and who signs it: {url, signer, secrets}; nil if its endpoint does not take it any more.
local function receiver_of(delivery)
  if delivery.endpoint == '' then
    if delivery.secret ~= '' then return {delivery.url, 'own', {delivery.secret}} end
    return {delivery.url, 'project', redis.call('HGET', project_key(delivery.project), 'secrets')}
  end
  local endpoint = fields_of(endpoint_key(delivery.endpoint), 'url', 'secrets')
  return {endpoint.url, 'endpoint', endpoint.secrets}
end

local function live(secrets)
  if type(secrets) == 'table' then return cjson.encode(secrets) end
  local found = {}
  for _, pair in ipairs(secrets and cjson.decode(secrets) or {}) do
    if pair[2] == 0 or pair[2] > now then table.insert(found, pair[1]) end
  end
  return #found > 0 and cjson.encode(found) or '[]'
end

-- Whether the delivery is still to be sent, here and now; what came of its endpoint meanwhile is put right.
local function takes(d, delivery)
  if delivery.endpoint == '' then return true end
  local endpoint = fields_of(endpoint_key(delivery.endpoint), 'status', 'origin')
  if endpoint.status ~= 'enabled' then
    end_delivery(d, 'cancelled', endpoint.status and 'endpoint_disabled' or 'endpoint_deleted')
  elseif delivery.project .. '|' .. endpoint.origin ~= delivery.origin then
    withdraw_delivery(d)
    redis.call('HSET', delivery_key(d), 'origin', delivery.project .. '|' .. endpoint.origin)
    enqueue_delivery(d, now)
  else
    return true
  end
  return false
end

local function start(d, delivery)
  redis.call('ZREM', prefix .. 'deliveries_released', d)
  redis.call('HINCRBY', delivery_key(d), 'attempt', 1)
  redis.call('HSET', delivery_key(d), 'stage', 'sending', 'nonce', ARGV[4], 'started', int(now))
  set_status(d, 'sending')
end

-- The job's end that the event told of, unless the job was tried again or forgotten since, or its Response is too large.
local function kept(delivery)
  local n = delivery.job
  if delivery.include ~= 'response' or n == '' then return {} end
  local job = look_up(n, 'status', 'series', 'created', 'finished')
  if not ended(job.status) or delivery.event ~= 'evt_' .. n .. string.format('%02x', tonumber(job.series or 1)) then return {} end
  local response = redis.call('HSTRLEN', job_key(n), 'response')
  local larger = math.max(response, response == 0 and redis.call('HSTRLEN', job_key(n), 'echo') or 0)
  if larger > tonumber(ARGV[5]) then return {} end
  local values = redis.call('HMGET', job_key(n), 'response', 'echo', 'error')
  return {n, job.status, values[1] or '', response == 0 and values[2] or '{}', values[3] or '', job.created, job.finished}
end

redis.call('HDEL', sender_key(sender), 'stalled')
local taken = {}
for i = 6, #ARGV do
  local d = ARGV[i]
  local delivery = read_delivery(d, 'stage', 'sender', 'dispatch', 'nonce', 'project', 'endpoint', 'origin', 'url', 'secret', 'job',
    'include', 'event', 'request_id', 'traceparent')
  local mine = delivery.sender == sender and delivery.dispatch == ARGV[3]
  local fresh = mine and delivery.stage == 'released' and takes(d, delivery)
  if fresh then start(d, delivery) end
  if fresh or (mine and delivery.stage == 'sending' and delivery.nonce == ARGV[4]) then
    local to = receiver_of(delivery)
    local row = redis.call('HMGET', delivery_key(d), 'attempt', 'step', 'event', 'type')
    table.insert(row, 1, d)
    for _, value in ipairs({to[1] or '', delivery.include, redis.call('HGET', delivery_key(d), 'body'), delivery.project,
        delivery.endpoint, to[2], live(to[3]), redis.call('HGET', delivery_key(d), 'trigger')}) do table.insert(row, value) end
    for _, name in ipairs({'job', 'request_id', 'traceparent'}) do table.insert(row, delivery[name] or '') end
    for _, value in ipairs(kept(delivery)) do table.insert(row, value) end
    table.insert(taken, row)
  end
end
return taken
