#!lua flags=allow-oom
-- Parts: base lane queue
-- Changes a project's limits, and lets its jobs have their turns anew.
-- ARGV: 1 prefix  2 project  3… fields and values, flat; '' takes a limit away
-- Returns 1. Twice: the same. A project never expires: one small hash for each.
local project = ARGV[2]
redis.call('SADD', prefix .. 'projects', project)
for i = 3, #ARGV, 2 do
  if ARGV[i + 1] == '' then redis.call('HDEL', project_key(project), ARGV[i])
  else redis.call('HSET', project_key(project), ARGV[i], ARGV[i + 1]) end
end
unpark(project)
wake()
return 1
