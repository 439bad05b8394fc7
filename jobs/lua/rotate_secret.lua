#!lua flags=allow-oom
-- Parts: base
-- Puts a new signing secret before those that a hash holds; the one that was current signs on for a while.
-- KEYS: 1 project:P or webhook_endpoint:W
-- ARGV: 1 prefix  2 sealed secret  3 ms that the current one signs on  4 most that may sign at a time
--       5 'rotate', or 'make': only where there is none  6 P if the hash is a project's, which may be new; else ''
-- Returns {'put', 0}, {'kept', 0} (there is one, and it was to be made), {'missing', 0} (no such hash), or
--   {'too_many', ms until one of them signs no more}.
-- Twice: the same as once, the sealed text is its own mark. The field goes with its hash.
local sealed, project = ARGV[2], ARGV[6]
if project == '' and redis.call('EXISTS', KEYS[1]) == 0 then return {'missing', 0} end
local held = cjson.decode(redis.call('HGET', KEYS[1], 'secrets') or '[]')
for _, pair in ipairs(held) do
  if pair[1] == sealed then return {'put', 0} end
end
if ARGV[5] == 'make' and held[1] then return {'kept', 0} end

local live, soonest = {{sealed, 0}}, math.huge
for _, pair in ipairs(held) do
  if pair[2] == 0 then
    table.insert(live, {pair[1], now + tonumber(ARGV[3])})
  elseif pair[2] > now then
    table.insert(live, pair)
    soonest = math.min(soonest, pair[2])
  end
end
if #live > tonumber(ARGV[4]) then return {'too_many', soonest - now} end
if project ~= '' then redis.call('SADD', prefix .. 'projects', project) end
redis.call('HSET', KEYS[1], 'secrets', cjson.encode(live))
return {'put', 0}
