-- Stands before every script, and before the other parts that its second line names. ARGV[1] is the key prefix.
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

local function read(n, ...) return fields_of(job_key(n), ...) end

local function ended(status) return status and status ~= 'queued' and status ~= 'in_progress' end

-- Adds to a sum of what was used. Where it would not fit into 64 bits it stays: no mad upstream's figures keep a job from its end.
local function add_to(key, field, by) redis.pcall('HINCRBY', key, field, int(by)) end

local function count(name, by) redis.call('HINCRBY', prefix .. 'counters', name, by) end

-- Figures over time: a minute's are kept for two days, an hour's for sixty. jobs/series.py reads them, and says what each
-- counter is; `counters` holds the places of those to add one to.
local SERIES = {minute = {seconds = 60, kept = 2 * DAY}, hour = {seconds = 3600, kept = 60 * DAY}}

local function tally(project, counters)
  local changes = {}
  for _, counter in ipairs(counters) do
    for _, word in ipairs({'INCRBY', 'u32', '#' .. int(counter), '1'}) do table.insert(changes, word) end
  end
  for step, of in pairs(SERIES) do
    local key = prefix .. 'series:' .. step .. ':' .. project .. ':' .. int(math.floor(second / of.seconds))
    local first = redis.call('BITFIELD', key, 'OVERFLOW', 'SAT', unpack(changes))[1]
    if first == 1 then redis.call('PEXPIRE', key, int(of.kept)) end
  end
end

-- Calls the dispatcher: something may go now. Once is enough until it has looked again.
local function wake()
  if redis.call('DEL', prefix .. 'asleep') == 1 then redis.call('PUBLISH', prefix .. 'wake', '1') end
end
