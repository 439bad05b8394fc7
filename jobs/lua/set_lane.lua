#!lua flags=allow-oom
-- Parts: base lane
-- Changes what is set for a lane beyond the limits file: limits, or a pause; `resume` also ends what the lane imposed on itself.
-- ARGV: 1 prefix  2 lane  3 line for the log  4 'set' or 'resume'  5… fields and values, flat; '' takes a field back
-- Returns 1. Twice: the same, but for the line. The settings never expire: a handful for each lane that was ever set.
local lane = ARGV[2]
for i = 5, #ARGV, 2 do
  if ARGV[i + 1] == '' then redis.call('HDEL', lane_settings_key(lane), ARGV[i])
  else redis.call('HSET', lane_settings_key(lane), ARGV[i], ARGV[i + 1]) end
end
if ARGV[4] == 'resume' then
  redis.call('HDEL', lane_settings_key(lane), 'paused_until', 'pause_reason')
  redis.call('HDEL', lane_key(lane), 'paused_until', 'pause_reason', 'probe', 'probe_job', 'faults', 'openings', 'streak')
end
redis.call('ZADD', prefix .. 'lanes', int(now), lane)
tell(lane, ARGV[3])
reopen(lane)
return 1
