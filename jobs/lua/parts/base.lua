-- Prepended to every script, with the other parts. ARGV[1] is the key prefix.
-- `n` is always a job's number. The record `job:N` is the truth; every other key is an index that a sweep can rebuild.
local prefix = ARGV[1]
local clock = redis.call('TIME')
local now_us = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local now = math.floor(now_us / 1000)
local DAY = 86400000

local function int(number) return string.format('%.0f', number) end

-- The kind stands before the name: no model's or worker's name can make one key look like another.
local function job_key(n) return prefix .. 'job:' .. n end
local function attempts_key(n) return prefix .. 'attempts:' .. n end
local function index_key(project, status) return prefix .. 'index:' .. project .. ':' .. status end
local function lane_key(lane) return prefix .. 'lane:' .. lane end
local function slots_key(lane) return prefix .. 'lane_slots:' .. lane end
local function projects_key(lane) return prefix .. 'lane_projects:' .. lane end
local function queue_key(lane, project) return prefix .. 'lane_queue:' .. project .. ':' .. lane end
local function worker_key(worker) return prefix .. 'worker:' .. worker end
local function worker_jobs_key(worker) return prefix .. 'worker_jobs:' .. worker end
local function worker_cancels_key(worker) return prefix .. 'worker_cancels:' .. worker end
local function worker_queue_key(worker) return prefix .. 'queue:' .. worker end

local function read(n, ...)
  local names, values = {...}, redis.call('HMGET', job_key(n), ...)
  local job = {}
  for i, name in ipairs(names) do job[name] = values[i] or nil end
  return job
end

local function ended(status) return status and status ~= 'queued' and status ~= 'in_progress' end

local function count(name, by) redis.call('HINCRBY', prefix .. 'counters', name, by) end

-- Calls the dispatcher: something may go now. Once is enough until it has looked again.
local function wake()
  if redis.call('DEL', prefix .. 'asleep') == 1 then redis.call('PUBLISH', prefix .. 'wake', '1') end
end
