#!lua flags=allow-oom
-- Parts: base metric webhook
-- Registers a project's webhook endpoint or changes it, with its route: an enabled endpoint is owed the events it asks for.
-- KEYS: 1 webhook_endpoint:E
-- ARGV: 1 prefix  2 E  3 'create' | 'change'  4 project; for a change, '' is any  5 most endpoints of a project
--       6… fields and values, flat; `status` among them, if at all
-- Returns 'set' | 'missing' | 'full'. Twice: 'set', and nothing more. An endpoint never expires: 50 at most for a project.
local endpoint_id = ARGV[2]
local known = fields_of(KEYS[1], 'project', 'status')
local fresh = ARGV[3] == 'create' and not known.project
if fresh then
  if redis.call('ZCARD', prefix .. 'webhook_endpoints:' .. ARGV[4]) >= tonumber(ARGV[5]) then return 'full' end
  redis.call('HSET', KEYS[1], 'project', ARGV[4], 'created', int(now), 'status', 'enabled')
  redis.call('ZADD', prefix .. 'webhook_endpoints:' .. ARGV[4], int(now), endpoint_id)
  redis.call('SADD', prefix .. 'projects', ARGV[4])
elseif not known.project or (ARGV[4] ~= '' and known.project ~= ARGV[4]) then
  return 'missing'
end

local given = {}
for i = 6, #ARGV, 2 do given[ARGV[i]] = ARGV[i + 1] end
if #ARGV > 5 then redis.call('HSET', KEYS[1], unpack(ARGV, 6)) end
if given.status == 'disabled' and known.status ~= 'disabled' then
  redis.call('HSET', KEYS[1], 'disabled_reason', 'by_request', 'disabled_at', int(now))
elseif given.status == 'enabled' and known.status ~= 'enabled' then
  redis.call('HDEL', KEYS[1], 'disabled_reason', 'disabled_at', 'failing_since')
end
-- A new address has not failed yet.
if given.url then redis.call('HDEL', KEYS[1], 'failing_since') end

local endpoint = fields_of(KEYS[1], 'project', 'status', 'events', 'include', 'origin')
if endpoint.status == 'enabled' then
  local wanted = endpoint.events ~= '' and '"events":' .. endpoint.events .. ',' or ''
  redis.call('HSET', routes_key(endpoint.project), endpoint_id,
    '{' .. wanted .. '"include":"' .. endpoint.include .. '","origin":' .. cjson.encode(endpoint.origin) .. '}')
else
  redis.call('HDEL', routes_key(endpoint.project), endpoint_id)
end
return 'set'
