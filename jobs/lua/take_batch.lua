#!lua flags=allow-oom
-- Parts: base batch
-- Gives a runner the batch that has waited longest for one, for as long as a lease lasts. Removes those whose time has come.
-- KEYS: 1 batches_open   ARGV: 1 prefix  2 runner  3 ms of a lease
-- Returns B, or false where none is due. Twice: the next one; who is given it anew does what is left of it.
for _, b in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', int(now), 'LIMIT', 0, 100)) do
  local batch = read_batch(b, 'project', 'goes')
  if not batch.project then redis.call('ZREM', KEYS[1], b)
  elseif tonumber(batch.goes or now + 1) <= now then forget_batch(b, batch.project)
  else
    redis.call('HSET', batch_key(b), 'runner', ARGV[2])
    look_at_batch(b, now + ARGV[3])
    return b
  end
end
return false
