-- Stands before every script, and before the other parts that its second line names. ARGV[1] is the key prefix. One run of
-- a script may be many calls of it (calls.lua); all share what stands here, and the moment.
-- `n` is always a job's number. The record `job:N` is the truth; every other key is an index that a sweep can rebuild.
local prefix = ARGV[1]
local clock = redis.call('TIME')
local now_us = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local now = math.floor(now_us / 1000)
local second = math.floor(now / 1000)
local DAY = 86400000
-- The form of the records that this release writes, and what a worker or sender of it says of itself: one that does
-- not say it is of a release that knows less, and a record that tells of a later one is left to those that know more.
local GENERATION = '2'
local function too_new(schema) return tonumber(schema or 1) > tonumber(GENERATION) end

-- Adding 0 makes no minus zero, which Redis does not take for a number.
local function int(number) return string.format('%.0f', number + 0) end

-- The kind stands before the name: no model's or worker's name can make one key look like another.
local function job_key(n) return prefix .. 'job:' .. n end
local function attempts_key(n) return prefix .. 'attempts:' .. n end
local function log_key(n) return prefix .. 'log:' .. n end
local function index_key(project, status) return prefix .. 'index:' .. project .. ':' .. status end
local function backlog_key(backlog) return prefix .. 'backlog:' .. backlog end
local function projects_key(backlog) return prefix .. 'backlog_projects:' .. backlog end
local function parked_key(backlog) return prefix .. 'backlog_parked:' .. backlog end
local function queue_key(backlog, project) return prefix .. 'backlog_jobs:' .. project .. ':' .. backlog end
local function lane_key(lane) return prefix .. 'lane:' .. lane end
local function lane_settings_key(lane) return prefix .. 'lane_settings:' .. lane end
local function slots_key(lane) return prefix .. 'lane_slots:' .. lane end
local function starts_key(lane) return prefix .. 'lane_starts:' .. lane end
local function runs_key(lane) return prefix .. 'lane_runs:' .. lane end
local function project_key(project) return prefix .. 'project:' .. project end
local function project_slots_key(project) return prefix .. 'project_slots:' .. project end
local function project_parked_key(project) return prefix .. 'project_parked:' .. project end
local function worker_key(worker) return prefix .. 'worker:' .. worker end
local function worker_jobs_key(worker) return prefix .. 'worker_jobs:' .. worker end
local function worker_cancels_key(worker) return prefix .. 'worker_cancels:' .. worker end
local function worker_queue_key(worker) return prefix .. 'queue:' .. worker end

local function named(names, values)
  local found = {}
  for i, name in ipairs(names) do found[name] = values[i] or nil end
  return found
end

-- The fields of a hash by name; absent ones are nil.
local function fields_of(key, ...) return named({...}, redis.call('HMGET', key, ...)) end

-- The record of a job as this run knows it: read once, whatever calls and parts ask of it, and written through. What may be
-- long (request, response, raw, echo, metadata, error, usage) or is of the log alone is not among it.
local RECORD = {'schema', 'status', 'stage', 'project', 'model', 'api_key', 'created', 'queued', 'started', 'released', 'order', 'priority',
  'backlog', 'lane', 'dispatch', 'worker', 'nonce', 'attempt', 'spent', 'snoozes', 'max_attempts', 'lost', 'sent', 'ended_by', 'series',
  'on_unknown', 'run_timeout', 'queue_deadline', 'retention', 'due', 'reason', 'expires', 'request_bytes', 'tokens', 'nano_held', 'reserved',
  'idempotency', 'upstream', 'batch', 'request_id', 'traceparent', 'log_last'}
local records, in_record = {}, {}
for _, name in ipairs(RECORD) do in_record[name] = true end

local function record(n)
  records[n] = records[n] or fields_of(job_key(n), unpack(RECORD))
  return records[n]
end

-- Fields of RECORD as they are now; absent ones are nil.
local function read(n, ...)
  local job, found = record(n), {}
  for _, name in ipairs({...}) do
    if not in_record[name] then error(name .. ' is not in RECORD') end
    found[name] = job[name]
  end
  return found
end

-- Any fields, as they are kept.
local function look_up(n, ...) return fields_of(job_key(n), ...) end

local function write(n, ...)
  redis.call('HSET', job_key(n), ...)
  if not records[n] then return end
  local words = {...}
  for i = 1, #words, 2 do records[n][words[i]] = tostring(words[i + 1]) end
end

local function clear(n, ...)
  redis.call('HDEL', job_key(n), ...)
  if not records[n] then return end
  for _, name in ipairs({...}) do records[n][name] = nil end
end

-- Adds one to a count in the record, and answers what it is then.
local function raise(n, name)
  local value = redis.call('HINCRBY', job_key(n), name, 1)
  if records[n] then records[n][name] = int(value) end
  return value
end

local function erase(n)
  redis.call('DEL', job_key(n), attempts_key(n), log_key(n))
  records[n] = nil
end

local function ended(status) return status and status ~= 'queued' and status ~= 'in_progress' end

-- What a run does once for all of its calls, at its end.
local last_things = {}
local function at_the_end()
  for _, thing in ipairs(last_things) do thing() end
end

-- Adds to a sum that no script reads, at the end of the run. Where it would not fit into 64 bits it stays.
local sums = {}
local function sum_up(key, field, by)
  sums[key] = sums[key] or {}
  sums[key][field] = (sums[key][field] or 0) + by
end
table.insert(last_things, function()
  for key, fields in pairs(sums) do
    for field, by in pairs(fields) do redis.pcall('HINCRBY', key, field, int(by)) end
  end
end)

-- Has a key that many calls of a run write to last for so long from now on.
local lasting = {}
local function keep_for(key, ms) lasting[key] = ms end
table.insert(last_things, function()
  for key, ms in pairs(lasting) do redis.pcall('PEXPIRE', key, int(ms)) end
end)

-- Adds to a sum of what was used. Where it would not fit into 64 bits it stays: no mad upstream's figures keep a job from its end.
local function add_to(key, field, by) redis.pcall('HINCRBY', key, field, int(by)) end

local function count(name, by) redis.call('HINCRBY', prefix .. 'counters', name, by) end

-- Figures over time: a minute's are kept for two days, an hour's for sixty. jobs/series.py reads them, and says what each
-- counter is; `counters` holds the places of those to add one to.
local SERIES = {minute = {seconds = 60, kept = 2 * DAY}, hour = {seconds = 3600, kept = 60 * DAY}}

local tallies = {}
local function tally(project, counters)
  tallies[project] = tallies[project] or {}
  for _, counter in ipairs(counters) do tallies[project][counter] = (tallies[project][counter] or 0) + 1 end
end
table.insert(last_things, function()
  for project, counts in pairs(tallies) do
    local changes = {}
    for counter, by in pairs(counts) do
      for _, word in ipairs({'INCRBY', 'u32', '#' .. int(counter), by}) do table.insert(changes, word) end
    end
    for step, of in pairs(SERIES) do
      local key = prefix .. 'series:' .. step .. ':' .. project .. ':' .. int(math.floor(second / of.seconds))
      redis.pcall('BITFIELD', key, 'OVERFLOW', 'SAT', unpack(changes))
      redis.pcall('PEXPIRE', key, int(of.kept))
    end
  end
end)

-- Calls the dispatcher: something may go now. Once is enough until it has looked again.
local woken = false
local function wake()
  if woken then return end
  woken = true
  if redis.call('DEL', prefix .. 'asleep') == 1 then redis.call('PUBLISH', prefix .. 'wake', '1') end
end
