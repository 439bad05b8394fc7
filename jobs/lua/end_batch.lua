#!lua flags=allow-oom
-- Parts: base lane queue budget batch webhook
-- Ends a batch and tells its event. What is left to be tidied is looked at next.
-- KEYS: 1 batch:B
-- ARGV: 1 prefix  2 B  3 runner  4 status that it takes the batch for  5 completed, failed, expired or cancelled  6 ms for which the record is kept
--       7 ms for which its event is kept  8 what respool adds to its event, as JSON  9… the record's fields, flat
-- Returns 'ended' | 'lost'. Twice: 'lost', and nothing more.
local b, status = ARGV[2], ARGV[5]
if not runs(b, ARGV[3], ARGV[4]) then return 'lost' end
local batch = read_batch(b, 'project', 'file', 'webhook')
local goes = now + tonumber(ARGV[6])
redis.call('HSET', KEYS[1], 'status', status, status .. '_at', int(now), 'goes', int(goes), 'reason', '', unpack(ARGV, 9))
redis.call('HDEL', KEYS[1], 'runner')
-- A look at it removes the record; this expiry is the safety net behind it.
redis.call('PEXPIREAT', KEYS[1], int(goes + DAY))
redis.call('PEXPIREAT', batch_refusals_key(b), int(goes + DAY))
let_go(batch.file)
look_at_batch(b, now)
local id, type = 'evt_' .. b .. '01', 'batch.' .. status
emit({id = id, type = type, project = batch.project, retention = tonumber(ARGV[7]), body = event_body(id, type, 'batch_' .. b, ARGV[8])},
  batch.webhook and cjson.decode(batch.webhook) or nil)
return 'ended'
