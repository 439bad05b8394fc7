#!lua flags=allow-oom
-- Parts: base file
-- Forgets a file; its bytes are removed from the disk next.
-- KEYS: 1 file:F   ARGV: 1 prefix  2 F  3 project, or '' for any
-- Returns 'forgotten' | 'missing'. Twice: 'missing'.
local project = redis.call('HGET', KEYS[1], 'project')
if not project or (ARGV[3] ~= '' and project ~= ARGV[3]) then return 'missing' end
drop_file(ARGV[2])
return 'forgotten'
