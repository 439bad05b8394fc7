#!lua flags=allow-oom
-- Parts: base file
-- Forgets a file that no batch reads; its bytes are removed from the disk next.
-- KEYS: 1 file:F   ARGV: 1 prefix  2 F  3 project, or '' for any
-- Returns 'forgotten' | 'in_use' | 'missing'. Twice: 'missing'.
local file = fields_of(KEYS[1], 'project', 'batches')
if not file.project or (ARGV[3] ~= '' and file.project ~= ARGV[3]) then return 'missing' end
if tonumber(file.batches or 0) > 0 then return 'in_use' end
drop_file(ARGV[2])
return 'forgotten'
