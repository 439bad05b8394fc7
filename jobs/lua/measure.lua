#!lua flags=no-writes
-- Parts: base metric webhook
-- Reads what /metrics shows of the present, at a cost that is bounded however many jobs there are.
-- KEYS: 1 who leads the dispatch  2 who leads the senders
-- ARGV: 1 prefix  2 most of each kind that is looked at one by one  3 most projects that are, and most of their queues
-- Returns {1, or 0 where a bound left something out, then rows {what, value, label…}}. Twice: reads again.
local most, most_projects = tonumber(ARGV[2]), tonumber(ARGV[3])
local found = {1}
local function tell(what, value, ...) table.insert(found, {what, int(value), ...}) end
local function bounded(names, bound)
  if #names >= bound then found[1] = 0 end
  return names
end
local function first(name, from, to)
  return bounded(redis.call('ZRANGEBYSCORE', prefix .. name, from, to, 'LIMIT', 0, most), most)
end
-- Reads sorted sets until, together, they told `left` members.
local function reader(left)
  return function(key)
    local names = left > 0 and bounded(redis.call('ZRANGE', key, 0, left - 1), left) or {}
    left = left - #names
    return names
  end
end
local function read_numbers(key, ...)
  local values = redis.call('HMGET', key, ...)
  for i = 1, #values do values[i] = tonumber(values[i] or 0) end
  return unpack(values)
end

-- Jobs: the backlogs, project by project; then by stage.
local queues_of = reader(most_projects)
local function waits_in(backlog)
  local sum = 0
  for _, key in ipairs({projects_key(backlog), parked_key(backlog)}) do
    for _, project in ipairs(queues_of(key)) do sum = sum + redis.call('ZCARD', queue_key(backlog, project)) end
  end
  return sum
end
local waiting, released = 0, redis.call('ZCARD', prefix .. 'dispatched')
for _, backlog in ipairs(first('backlogs', '-inf', '+inf')) do
  local jobs = waits_in(backlog)
  waiting = waiting + jobs
  tell('backlog_jobs', jobs, backlog)
end

-- Processes: all hold what they hold, those whose lease runs offer their slots.
local function look_at_processes(name, key_of, held_key)
  local live, slots, holds = 0, 0, 0
  for _, id in ipairs(first(name, '-inf', '+inf')) do
    holds = holds + redis.call('SCARD', held_key(id))
    if tonumber(redis.call('ZSCORE', prefix .. name, id)) > now then
      live, slots = live + 1, slots + read_numbers(key_of(id), 'slots')
    end
  end
  tell(name, live)
  tell(name .. '_slots', slots)
  tell(name .. '_busy', holds)
  return holds
end
local held = look_at_processes('workers', worker_key, worker_jobs_key)
tell('jobs', waiting, 'waiting')
tell('jobs', redis.call('ZCARD', prefix .. 'delayed'), 'delayed')
tell('jobs', released, 'dispatched')
tell('jobs', math.max(0, held - released), 'running')
tell('leaders', redis.call('EXISTS', KEYS[1]), 'dispatcher')
tell('leaders', redis.call('EXISTS', KEYS[2]), 'sender')

-- Deliveries: those of projects with something waiting, without what is being sent of them, and what their origins let
-- through; then by stage.
local owing, breakers, origins_of = 0, 0, reader(most)
for _, project in ipairs(first('delivery_projects', '-inf', '+inf')) do
  owing = owing + math.max(0, redis.call('ZCARD', project_deliveries_key('open', project)) - redis.call('SCARD', project_sending_key(project)))
  for _, origin in ipairs(origins_of(project_origins_key(project))) do
    breakers = breakers + redis.call('HEXISTS', origin_key(origin), 'open_until')
  end
end
tell('breakers_open', breakers)
local out = look_at_processes('senders', sender_key, sender_deliveries_key)
released = redis.call('ZCARD', prefix .. 'deliveries_released')
tell('deliveries', owing, 'waiting')
tell('deliveries', released, 'released')
tell('deliveries', math.max(0, out - released), 'sending')

-- Batches that have not ended are looked at soon, and those that have much later.
local batches = {validating = 0, in_progress = 0, finalizing = 0, cancelling = 0}
for _, b in ipairs(first('batches_open', '-inf', int(now + 600000))) do
  local status = redis.call('HGET', prefix .. 'batch:' .. b, 'status')
  if batches[status or ''] then batches[status] = batches[status] + 1 end
end
for status, number in pairs(batches) do tell('batches', number, status) end

-- Files and registered endpoints, project by project; those endpoints that are enabled have a route.
local files, bytes, endpoints, enabled = 0, 0, 0, 0
for _, project in ipairs(bounded(redis.call('SRANDMEMBER', prefix .. 'projects', most_projects), most_projects)) do
  local more_bytes, more_files = read_numbers(project_key(project), 'file_bytes', 'files')
  bytes, files = bytes + more_bytes, files + more_files
  endpoints = endpoints + redis.call('ZCARD', prefix .. 'webhook_endpoints:' .. project)
  enabled = enabled + redis.call('HLEN', routes_key(project))
end
tell('files', files)
tell('file_bytes', bytes)
tell('webhook_endpoints', enabled, 'enabled')
tell('webhook_endpoints', math.max(0, endpoints - enabled), 'disabled')

local function age(field)
  local at = tonumber(redis.call('HGET', prefix .. 'counters', field) or nil)
  return at and math.max(0, now - at)
end
for kind, field in pairs({jobs = 'swept', deliveries = 'deliveries_swept'}) do
  if age(field) then tell('sweep_age_ms', age(field), kind) end
end
return found
