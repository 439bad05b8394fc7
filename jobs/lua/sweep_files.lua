#!lua flags=allow-oom
-- Parts: base file
-- Forgets files that have expired, a bounded piece at a call; any worker calls it, and removes their bytes next.
-- One that a batch reads is looked at again a minute later.
-- KEYS: 1 file_sweep (lease)   ARGV: 1 prefix  2 ms in which one sweep is enough  3 most files
-- Returns their numbers, or false if another swept just now. Twice: does the next piece. The lease expires by itself.
if not redis.call('SET', KEYS[1], '1', 'NX', 'PX', ARGV[2]) then return false end
local dropped = {}
for _, f in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'expiring_files', '-inf', int(now), 'LIMIT', 0, tonumber(ARGV[3]))) do
  if tonumber(redis.call('HGET', file_key(f), 'batches') or 0) > 0 then
    redis.call('ZADD', prefix .. 'expiring_files', int(now + 60000), f)
  else
    if not drop_file(f) then redis.call('ZREM', prefix .. 'expiring_files', f) end
    table.insert(dropped, f)
  end
end
return dropped
