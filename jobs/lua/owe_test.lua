#!lua flags=allow-oom
-- Parts: base metric webhook
-- Owes an event of no job to one endpoint alone, for its owner to see whether it arrives; it joins no feed.
-- KEYS: 1 webhook_endpoint:E
-- ARGV: 1 prefix  2 E  3 project, or '' for any  4 event's id  5 its type  6 id of what it is about  7 what respool adds, as JSON
--       8 ms for which the delivery is kept after its end
-- Returns {'owed', D} | {'missing'} | {'disabled'}. Twice with one event: the same D.
local endpoint = fields_of(KEYS[1], 'project', 'status', 'origin', 'include')
if not endpoint.project or (ARGV[3] ~= '' and endpoint.project ~= ARGV[3]) then return {'missing'} end
if endpoint.status ~= 'enabled' then return {'disabled'} end
local event = {id = ARGV[4], type = ARGV[5], project = endpoint.project, retention = tonumber(ARGV[8]),
  body = event_body(ARGV[4], ARGV[5], ARGV[6], ARGV[7])}
return {'owed', owe(event, {endpoint = ARGV[2], origin = endpoint.origin, include = endpoint.include})}
