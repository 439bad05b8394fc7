#!lua
-- Parts: base file batch
-- Accepts a batch over a file of its project, which stays as long as the batch has not ended.
-- KEYS: 1 batch:B   2 file:F
-- ARGV: 1 prefix  2 B  3 project  4 F  5 most batches of the project in an hour  6 ms of its window  7… more fields of the record, flat
-- Returns 'created' | 'no_file' | 'too_many'. Twice: 'created', and nothing more.
-- The record goes 30 days after the batch has ended.
local b, project, window = ARGV[2], ARGV[3], tonumber(ARGV[6])
if redis.call('EXISTS', KEYS[1]) == 1 then return 'created' end

local file = fields_of(KEYS[2], 'project', 'purpose', 'expires', 'batches')
local gone = tonumber(file.expires or now + 1) <= now and tonumber(file.batches or 0) == 0
if file.project ~= project or file.purpose ~= 'batch' or gone then return 'no_file' end
if redis.call('ZCOUNT', batches_key(project), int(now_us - 3600000000), '+inf') >= tonumber(ARGV[5]) then return 'too_many' end

redis.call('HSET', KEYS[1], 'project', project, 'file', ARGV[4], 'status', 'validating', 'created', int(now_us), 'window', int(window),
  'expires_at', int(now + window), unpack(ARGV, 7))
redis.call('HINCRBY', KEYS[2], 'batches', 1)
redis.call('ZADD', batches_key(project), int(now_us), b)
redis.call('SADD', prefix .. 'projects', project)
look_at_batch(b, now)
return 'created'
