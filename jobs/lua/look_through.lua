#!lua flags=allow-oom
-- Parts: base
-- Looks through the records of a piece of some indexes, newest first, for those of a model, or with metadata; changes nothing.
-- KEYS: 1… the indexes
-- ARGV: 1 prefix  2 most records to look at  3 highest and  4 lowest score, as ZRANGE takes them
--       5 score and  6 number of the job that it goes on after, or '' and ''
--       7 model or ''  8 number of pairs of metadata  9… the pairs, flat
-- Returns {how many it looked at, the last one's score, its number, the numbers of those that are meant, in their order}.
-- Twice: the same.
local most, score, number, model = tonumber(ARGV[2]), tonumber(ARGV[5]), ARGV[6], ARGV[7]
local pairs_end = 8 + 2 * tonumber(ARGV[8])

-- Whether a place is further down; jobs submitted in the same microsecond go by number.
local function below(score, number, other_score, other_number)
  return score < other_score or (score == other_score and number < other_number)
end

-- The rows of an index are read a chunk at a time, and `score` and `number` are the next one's; no score: there is none.
local chunk = math.max(8, math.min(128, math.floor(4000 / #KEYS)))

local function advance(source)
  if source.at >= #source.rows and not source.is_read then
    source.rows = redis.call('ZRANGE', source.index, ARGV[3], ARGV[4], 'BYSCORE', 'REV', 'LIMIT', source.read, chunk, 'WITHSCORES')
    source.at, source.read, source.is_read = 0, source.read + chunk, #source.rows < 2 * chunk
  end
  source.number, source.score = source.rows[source.at + 1], tonumber(source.rows[source.at + 2] or '')
  source.at = source.at + 2
end

local sources = {}
for _, index in ipairs(KEYS) do
  local source = {index = index, rows = {}, at = 0, read = 0}
  repeat advance(source) until not source.score or not score or below(source.score, source.number, score, number)
  table.insert(sources, source)
end

local function next_place()
  local first = nil
  for _, source in ipairs(sources) do
    if source.score and (not first or below(first.score, first.number, source.score, source.number)) then first = source end
  end
  if not first then return false end
  score, number = first.score, first.number
  advance(first)
  return true
end

local function has_pairs(text)
  local metadata = cjson.decode(text or '{}')
  for i = 9, pairs_end, 2 do
    if metadata[ARGV[i]] ~= ARGV[i + 1] then return false end
  end
  return true
end

local function is_meant(n)
  local job = look_up(n, 'project', 'model', 'metadata', 'hidden')
  if not job.project or job.hidden or (model ~= '' and job.model ~= model) then return false end
  return pairs_end == 8 or has_pairs(job.metadata)
end

local seen, meant = 0, {}
while seen < most and next_place() do
  seen = seen + 1
  if is_meant(number) then table.insert(meant, number) end
end
return {seen, score and int(score) or '', number, meant}
