-- Files that were uploaded. `f` is a file's number; its bytes lie on disk, and go after its record.

local function file_key(f) return prefix .. 'file:' .. f end
local function files_key(purpose, project) return prefix .. 'files:' .. purpose .. ':' .. project end

-- Takes the record away, and what it counts of its project's room; false if there is none.
local function drop_file(f)
  local file = fields_of(file_key(f), 'project', 'purpose', 'bytes')
  if not file.project then return false end
  redis.call('DEL', file_key(f))
  redis.call('ZREM', files_key(file.purpose, file.project), f)
  redis.call('ZREM', prefix .. 'expiring_files', f)
  redis.call('HINCRBY', project_key(file.project), 'file_bytes', -tonumber(file.bytes))
  redis.call('HINCRBY', project_key(file.project), 'files', -1)
  return true
end
