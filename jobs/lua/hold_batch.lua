#!lua flags=allow-oom
-- Parts: base batch
-- Renews a runner's lease of a batch.
-- KEYS: 1 batch:B   ARGV: 1 prefix  2 B  3 runner  4 status that it takes the batch for  5 ms of a lease
-- Returns the time in ms, or false: another has it, or it is no longer what it was. Twice: the same.
if not runs(ARGV[2], ARGV[3], ARGV[4]) then return false end
look_at_batch(ARGV[2], now + ARGV[5])
return int(now)
