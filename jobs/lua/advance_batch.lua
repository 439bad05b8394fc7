#!lua
-- Parts: base batch
-- Writes how far the lines of a batch have been taken up, and what was refused of them.
-- KEYS: 1 batch:B
-- ARGV: 1 prefix  2 B  3 runner  4 number of the last line taken up  5 bytes up to its end  6 requests taken up so far
--       7… line, refusal as JSON, flat
-- Returns 'advanced' | 'lost'. Twice: 'advanced', and nothing more.
local b = ARGV[2]
if not runs(b, ARGV[3], 'in_progress') then return 'lost' end
redis.call('HSET', KEYS[1], 'line', ARGV[4], 'offset', ARGV[5], 'lines_read', ARGV[6])
if #ARGV > 6 then redis.call('HINCRBY', KEYS[1], 'refused_lines', redis.call('HSET', batch_refusals_key(b), unpack(ARGV, 7))) end
return 'advanced'
