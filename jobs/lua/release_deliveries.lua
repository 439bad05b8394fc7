#!lua flags=allow-oom
-- Parts: base metric webhook message delivering silence
-- Hands deliveries that are due to live senders, as far as their origins may take more at a time.
-- Senders of an older release cannot read sealed URLs: they lead no more and get nothing new while one of this release leads.
-- KEYS: 1 delivery_lead (who leads)
-- ARGV: 1 prefix  2 sender  3 lease ms of the lead  4 most deliveries to release  5 ms until a release is taken back
--       6 Celery message template as JSON  7 ms after which a delivery is given up, whatever held it up
--       8 most deliveries a second to an origin of a project, 0: any number
-- Returns {1 leads or 0, deliveries released, ms until something may go next (-1: not before the next wake)}.
-- Twice: releases more, if more may go. The lead expires by itself.
local leader = redis.call('GET', KEYS[1])
if leader and leader ~= ARGV[2] then return {0, 0, -1} end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
-- The place from which those of an older release lead.
redis.call('SET', prefix .. 'delivery_leader', 'a newer release', 'PX', 6000)
local left, claim_ms, patience = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[7])
local gap = tonumber(ARGV[8]) > 0 and 1000 / tonumber(ARGV[8]) or nil -- ms between two to the same origin
local SHARE = 16 -- of one origin before another has its turn

local senders, slots, free = {}, 0, 0
for _, id in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'senders', '(' .. int(now), '+inf')) do
  local state = redis.call('HMGET', sender_key(id), 'slots', 'stalled', 'generation', 'beat')
  local offered = state[3] == GENERATION and tonumber(state[1] or '0') or 0
  local held = redis.call('SCARD', sender_deliveries_key(id))
  -- One that is silent gets nothing new: it has the slots that are taken, and no others.
  if silent(state[4]) then offered = math.min(offered, held) end
  slots = slots + offered
  local room = offered - held
  if room > 0 and now - tonumber(state[2] or 0) > 10000 then
    table.insert(senders, {id = id, room = room, deliveries = {}})
    free = free + room
  end
end

local function least_busy()
  local best = nil
  for _, sender in ipairs(senders) do
    if sender.room > 0 and (not best or sender.room > best.room) then best = sender end
  end
  return best
end

-- How many more the rate lets go, and from when on the next: never more than a second's at once.
local function let_by_rate(origin)
  if not gap then return math.huge, now end
  local clock = math.max(now - 1000, tonumber(redis.call('HGET', origin_key(origin), 'rate_at') or 0))
  return math.floor((now - clock) / gap + 1e-6), math.ceil(clock + gap)
end

local function count_by_rate(origin, taken)
  if not gap or taken == 0 then return end
  local clock = math.max(now - 1000, tonumber(redis.call('HGET', origin_key(origin), 'rate_at') or 0))
  redis.call('HSET', origin_key(origin), 'rate_at', string.format('%.3f', clock + taken * gap))
  redis.call('PEXPIRE', origin_key(origin), DAY)
end

-- How many more the origin may take now, and else from when on it may be looked at again.
local function room_of(origin)
  local state = redis.call('HMGET', origin_key(origin), 'width', 'open_until', 'paused_until')
  local busy = redis.call('SCARD', origin_slots_key(origin))
  local paused, open = tonumber(state[3] or 0), tonumber(state[2] or 0)
  if paused > now then return 0, paused end
  if open > now then return 0, open end
  local by_rate, next_at = let_by_rate(origin)
  local by_width = math.max(0, (state[2] and 1 or tonumber(state[1] or LEAST_WIDTH)) - busy)
  if by_rate < by_width then return by_rate, next_at end
  -- A settled delivery has its origin looked at, too.
  return by_width, now + 30000
end

local dispatch = nil
local released = 0
local function release(d, origin)
  local sender = least_busy()
  if not dispatch then dispatch = int(redis.call('HINCRBY', prefix .. 'counters', 'delivery_dispatches', 1)) end
  hand_over(d, origin, sender.id, dispatch, claim_ms)
  table.insert(sender.deliveries, d)
  sender.room, free, released, left = sender.room - 1, free - 1, released + 1, left - 1
end

-- Has an origin's deliveries go that may; the least of its project's room and its own.
local function serve(project, origin)
  local room, again = room_of(origin)
  local take, taken = math.min(room, SHARE, left, free, project.room), 0
  local due = take > 0 and redis.call('ZRANGEBYSCORE', origin_due_key(origin), '-inf', int(now), 'LIMIT', 0, take + 64) or {}
  for _, d in ipairs(due) do
    local since = redis.call('HGET', delivery_key(d), 'since')
    if not since then redis.call('ZREM', origin_due_key(origin), d)
    elseif now - tonumber(since) / 1000 > patience then end_delivery(d, 'exhausted', 'out_of_time')
    elseif taken < take then
      release(d, origin)
      taken = taken + 1
    end
  end
  count_by_rate(origin, taken)
  project.room, project.busy = project.room - taken, project.busy + taken
  local first = redis.call('ZRANGE', origin_due_key(origin), 0, 0, 'WITHSCORES')
  if not first[1] then return redis.call('ZREM', project_origins_key(project.name), origin) end
  local look = math.max(tonumber(first[2]), now)
  if look <= now and taken >= room then look = again end
  redis.call('ZADD', project_origins_key(project.name), int(look), origin)
end

-- No project gets the last quarter of all slots: what its receivers hold up holds up nobody else.
local most = slots - math.floor(slots / 4)
local projects = {}
local due_projects = free > 0 and redis.call('ZRANGEBYSCORE', prefix .. 'delivery_projects', '-inf', int(now), 'LIMIT', 0, 256) or {}
for i, name in ipairs(due_projects) do
  local busy = redis.call('SCARD', project_sending_key(name))
  projects[i] = {name = name, busy = busy, room = math.max(0, most - busy), next = 1,
    origins = redis.call('ZRANGEBYSCORE', project_origins_key(name), '-inf', int(now), 'LIMIT', 0, 64)}
end

-- The project whose turn it is: of those with an origin to look at, the one with the fewest under way.
local function turn()
  local best = nil
  for _, project in ipairs(projects) do
    if project.origins[project.next] and project.room > 0 and (not best or project.busy < best.busy) then best = project end
  end
  return best
end

local project = turn()
while project and free > 0 and left > 0 do
  serve(project, project.origins[project.next])
  project.next = project.next + 1
  project = turn()
end
for _, project in ipairs(projects) do
  local first = redis.call('ZRANGE', project_origins_key(project.name), 0, 0, 'WITHSCORES')
  -- One without room is looked at again when a slot of it becomes free.
  local look = project.room == 0 and now + 1000 or tonumber(first[2] or 0)
  if first[1] then redis.call('ZADD', prefix .. 'delivery_projects', int(look), project.name)
  else redis.call('ZREM', prefix .. 'delivery_projects', project.name) end
end
for _, sender in ipairs(senders) do post(sender.id, sender.deliveries, dispatch, ARGV[6]) end

-- Where every slot is taken, the next that becomes free calls.
redis.call('SET', prefix .. 'deliveries_asleep', free > 0 and '1' or 'full', 'PX', 60000)
local first = redis.call('ZRANGE', prefix .. 'delivery_projects', 0, 0, 'WITHSCORES')
local wait = -1
if first[1] and free > 0 then wait = math.max(0, math.ceil(tonumber(first[2]) - now)) end
return {1, released, wait}
