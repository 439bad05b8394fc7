-- Events and the deliveries that they owe. `d` is a delivery's number; an origin is named `PROJECT|SCHEME://HOST:PORT`.

local WEEK = 7 * DAY
local CLASSES = {pending = 'open', sending = 'open', retrying = 'open', delivered = 'delivered',
  exhausted = 'dead', gone = 'dead', blocked = 'dead', cancelled = 'dead'}

local function events_key(project) return prefix .. 'events:' .. project end
local function endpoint_key(endpoint) return prefix .. 'webhook_endpoint:' .. endpoint end
local function routes_key(project) return prefix .. 'webhook_routes:' .. project end
local function delivery_key(d) return prefix .. 'delivery:' .. d end
local function delivery_log_key(d) return prefix .. 'delivery_log:' .. d end
local function job_deliveries_key(n) return prefix .. 'job_deliveries:' .. n end
local function project_deliveries_key(class, project) return prefix .. 'project_deliveries:' .. class .. ':' .. project end
local function endpoint_deliveries_key(class, endpoint) return prefix .. 'endpoint_deliveries:' .. class .. ':' .. endpoint end
local function origin_key(origin) return prefix .. 'origin:' .. origin end
local function origin_due_key(origin) return prefix .. 'origin_due:' .. origin end
local function origin_slots_key(origin) return prefix .. 'origin_slots:' .. origin end
local function project_origins_key(project) return prefix .. 'project_origins:' .. project end
local function project_sending_key(project) return prefix .. 'project_sending:' .. project end
local function sender_key(sender) return prefix .. 'sender:' .. sender end
local function sender_deliveries_key(sender) return prefix .. 'sender_deliveries:' .. sender end

local function read_delivery(d, ...) return fields_of(delivery_key(d), ...) end

-- Calls the sender that leads: a delivery may go now. Once is enough until it has looked again.
local function wake_deliveries()
  if redis.call('DEL', prefix .. 'deliveries_asleep') == 1 then redis.call('PUBLISH', prefix .. 'wake_deliveries', '1') end
end

-- Has the origin looked at no later than `at`.
local function look_at(origin, at)
  local project = origin:match('^([^|]*)|')
  redis.call('ZADD', project_origins_key(project), 'LT', int(at), origin)
  redis.call('ZADD', prefix .. 'delivery_projects', 'LT', int(at), project)
  if at <= now then wake_deliveries() end
end

-- Puts the delivery among those that wait for their time, `due` in ms.
local function enqueue_delivery(d, due)
  local origin = redis.call('HGET', delivery_key(d), 'origin')
  redis.call('HSET', delivery_key(d), 'stage', 'waiting', 'due', int(due))
  redis.call('ZADD', origin_due_key(origin), int(due), d)
  look_at(origin, due)
end

-- Gives the delivery its status and its place in the lists of its class; `since` (µs), if given, becomes its place there.
local function set_status(d, status, since)
  local delivery = read_delivery(d, 'project', 'endpoint', 'status', 'since', 'retention')
  local class, score = CLASSES[status], since or delivery.since
  local function list(key_of, name)
    if delivery.status and CLASSES[delivery.status] ~= class then
      redis.call('ZREM', key_of(CLASSES[delivery.status], name), d)
    end
    redis.call('ZADD', key_of(class, name), score, d)
    if class == 'open' then return end
    -- Lists forget what ended so long ago that its record has gone.
    local kept = tonumber(delivery.retention) + 2 * WEEK
    redis.call('ZREMRANGEBYSCORE', key_of(class, name), '-inf', int(now_us - kept * 1000))
    redis.call('PEXPIRE', key_of(class, name), int(kept))
  end
  list(project_deliveries_key, delivery.project)
  if delivery.endpoint ~= '' then list(endpoint_deliveries_key, delivery.endpoint) end
  redis.call('HSET', delivery_key(d), 'status', status, 'since', score)
end

-- Takes the delivery out of every place that a stage puts it in.
local function withdraw_delivery(d)
  redis.call('ZREM', prefix .. 'deliveries_released', d)
  local delivery = read_delivery(d, 'origin', 'sender', 'project')
  if not delivery.origin then return end
  redis.call('ZREM', origin_due_key(delivery.origin), d)
  if redis.call('SREM', origin_slots_key(delivery.origin), d) == 1 then
    redis.call('SREM', project_sending_key(delivery.project), d)
    local due = redis.call('ZRANGE', origin_due_key(delivery.origin), 0, 0, 'WITHSCORES')
    if due[1] then look_at(delivery.origin, math.max(now, tonumber(due[2]))) end
    local next = redis.call('ZRANGE', project_origins_key(delivery.project), 0, 0, 'WITHSCORES')
    if next[1] then look_at(next[1], math.max(now, tonumber(next[2]))) end
    if redis.call('GET', prefix .. 'deliveries_asleep') == 'full' then wake_deliveries() end
  end
  if delivery.sender then
    redis.call('SREM', sender_deliveries_key(delivery.sender), d)
    redis.call('HDEL', delivery_key(d), 'sender', 'nonce')
  end
end

-- Ends the delivery; its record goes with its retention.
local function end_delivery(d, status, reason)
  withdraw_delivery(d)
  set_status(d, status)
  redis.call('HSET', delivery_key(d), 'stage', 'ended', 'ended', int(now), 'error', reason or '')
  meter('deliveries_ended\n' .. status, 1)
  redis.call('HDEL', delivery_key(d), 'due')
  local goes = now + tonumber(redis.call('HGET', delivery_key(d), 'retention'))
  redis.call('PEXPIREAT', delivery_key(d), int(goes))
  redis.call('PEXPIREAT', delivery_log_key(d), int(goes))
end

-- How many deliveries this run has come to owe: one that ends many jobs stops where these become too many.
local owed, MOST_OWED = 0, 5000

-- The origins that are looked at because this run owes to them.
local told = {}

-- Owes the event to a receiver, once: `to` has origin and include, and endpoint, or url and perhaps secret.
-- `event` has id, type, body, project and retention (ms), and perhaps job, request_id and traceparent. Answers the delivery's number.
local function owe(event, to)
  local endpoint = to.endpoint or ''
  local d = redis.sha1hex(event.id .. ' ' .. endpoint):sub(1, 32)
  if redis.call('EXISTS', delivery_key(d)) == 1 then return d end
  local origin, fields = event.project .. '|' .. to.origin, {}
  for _, name in ipairs({'request_id', 'traceparent'}) do
    if event[name] then
      table.insert(fields, name)
      table.insert(fields, event[name])
    end
  end
  redis.call('HSET', delivery_key(d), 'project', event.project, 'event', event.id, 'type', event.type, 'body', event.body,
    'job', event.job or '', 'endpoint', endpoint, 'url', to.url or '', 'secret', to.secret or '', 'include', to.include,
    'origin', origin, 'created', int(now_us), 'retention', int(event.retention), 'attempt', 0, 'step', 0, 'lost', 0,
    'trigger', 'schedule', 'status', 'pending', 'since', int(now_us), 'stage', 'waiting', 'due', int(now), unpack(fields))
  redis.call('ZADD', project_deliveries_key('open', event.project), int(now_us), d)
  if endpoint ~= '' then redis.call('ZADD', endpoint_deliveries_key('open', endpoint), int(now_us), d) end
  redis.call('ZADD', origin_due_key(origin), int(now), d)
  if not told[origin] then look_at(origin, now) end
  told[origin] = true
  owed = owed + 1
  if event.job then
    redis.call('SADD', job_deliveries_key(event.job), d)
    redis.call('PEXPIRE', job_deliveries_key(event.job), int(event.retention + 2 * WEEK))
  end
  return d
end

local function wants(events, type)
  if not events then return true end
  for _, name in ipairs(events) do
    if name == type then return true end
  end
  return false
end

-- The endpoints of a project that take events, read once a run unless it changes them.
local routes = {}
local function routes_of(project)
  if routes[project] then return routes[project] end
  local found, flat = {}, redis.call('HGETALL', routes_key(project))
  for i = 1, #flat, 2 do
    local route = cjson.decode(flat[i + 1])
    route.endpoint = flat[i]
    table.insert(found, route)
  end
  routes[project] = found
  return found
end

-- Tells an event: it joins the feed of its project, and is owed to every receiver that wants it. `own` is where the job's
-- own events go, if it says so.
local function emit(event, own)
  local feed = events_key(event.project)
  meter('events\n' .. event.type, 1)
  redis.call('XADD', feed, 'MINID', '~', int(now - event.retention - 3600000), '*', 'event', event.body)
  keep_for(feed, event.retention + DAY)
  if own and wants(own.events, event.type) then owe(event, own) end
  for _, route in ipairs(routes_of(event.project)) do
    if wants(route.events, event.type) then owe(event, route) end
  end
end

-- An event as its receivers get it; `about` is the id of what it is about, `own` what respool adds, as JSON.
local function event_body(id, type, about, own)
  return '{"object":"event","id":"' .. id .. '","type":"' .. type .. '","created_at":' .. int(math.floor(now / 1000)) ..
    ',"data":{"id":"' .. about .. '","respool":' .. own .. '}}'
end
