#!lua
-- Parts: base file
-- Records a file whose bytes are on disk, if its project has room for it.
-- KEYS: 1 file:F
-- ARGV: 1 prefix  2 F  3 project  4 purpose  5 bytes  6 ms until it expires, 0: it does not
--       7 most bytes of the project's files  8 most files of the project  9… more fields of the record, flat
-- Returns 'kept' | 'full' | 'too_many'. Twice: 'kept', and nothing more.
-- No file goes by itself, since its bytes are counted until it is forgotten: when it is deleted, or by a sweep.
local f, project, purpose, bytes, lasts = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
if redis.call('EXISTS', KEYS[1]) == 1 then return 'kept' end

local held = fields_of(project_key(project), 'file_bytes', 'files')
if tonumber(held.file_bytes or 0) + bytes > tonumber(ARGV[7]) then return 'full' end
if tonumber(held.files or 0) >= tonumber(ARGV[8]) then return 'too_many' end

redis.call('HSET', KEYS[1], 'project', project, 'purpose', purpose, 'bytes', int(bytes), 'created', int(now_us),
  unpack(ARGV, 9))
if lasts > 0 then
  redis.call('HSET', KEYS[1], 'expires', int(now + lasts))
  redis.call('ZADD', prefix .. 'expiring_files', int(now + lasts), f)
end
redis.call('ZADD', files_key(purpose, project), int(now_us), f)
redis.call('SADD', prefix .. 'projects', project)
redis.call('HINCRBY', project_key(project), 'file_bytes', int(bytes))
redis.call('HINCRBY', project_key(project), 'files', 1)
return 'kept'
