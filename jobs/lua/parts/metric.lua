-- What /metrics shows of the past: counts in one hash. A field is `NAME`, or `NAME newline LABELS`, a lane or backlog being the last
-- label; docs/metrics.md lists them. All labels are of small sets, so that the hash stays small.

local METRICS = prefix .. 'metrics'
local MOST_LANES = 100
local TIMES = {0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 21600, 86400}

-- Adds a whole number below 10^17. No count stands in the way of what it counts.
local function meter(field, by)
  if by ~= 0 then sum_up(METRICS, field, by) end
end

-- The lane or backlog as a label: the hundred that came first by their names, what came later together.
local counted = {}
local function counted_as(lane)
  if not lane then return 'other:other' end
  if counted[lane] then return counted[lane] end
  local label = lane
  if redis.call('SISMEMBER', prefix .. 'metric_lanes', lane) == 0 then
    if redis.call('SCARD', prefix .. 'metric_lanes') < MOST_LANES then redis.call('SADD', prefix .. 'metric_lanes', lane)
    else label = 'other:other' end
  end
  counted[lane] = label
  return label
end

-- Counts a time in the first bucket that holds it, and adds it to the sum; `labels` begin with a newline, or are ''.
local function meter_time(name, labels, ms)
  local bucket = '+Inf'
  for _, seconds in ipairs(TIMES) do
    if ms <= seconds * 1000 then bucket = tostring(seconds) break end
  end
  meter(name .. '_bucket\n' .. bucket .. labels, 1)
  meter(name .. '_ms' .. labels, math.max(0, math.floor(ms)))
end

-- The statuses from 600 on, of which no protocol knows, are one.
local function class_of(http_status)
  if http_status == 429 then return '429' end
  return http_status < 600 and math.floor(http_status / 100) .. 'xx' or 'other'
end
