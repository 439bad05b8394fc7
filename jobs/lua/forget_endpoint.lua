#!lua flags=allow-oom
-- Parts: base metric webhook
-- Removes a project's webhook endpoint; what was delivered to it stays in the lists for as long as it is kept.
-- KEYS: 1 webhook_endpoint:E   ARGV: 1 prefix  2 E  3 project, or '' for any
-- Returns 'forgotten' | 'missing'. Twice: 'missing'.
local project = redis.call('HGET', KEYS[1], 'project')
if not project or (ARGV[3] ~= '' and project ~= ARGV[3]) then return 'missing' end
redis.call('DEL', KEYS[1])
redis.call('ZREM', prefix .. 'webhook_endpoints:' .. project, ARGV[2])
redis.call('HDEL', routes_key(project), ARGV[2])
return 'forgotten'
