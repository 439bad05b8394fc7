#!lua
-- Parts: base metric lane queue budget batch
-- Accepts a job: record, place in the backlog and index at once, or the job that its idempotency key names.
-- KEYS: 1 job:N   2 idempotency key or ''   3 repeat key (a client's own retry) or ''   4 batch:B of a line, or ''
-- ARGV: 1 prefix  2 N  3 digest of the body  4 max queued bytes (all jobs)  5 queue deadline ms or 0
--       6 is this a marked repeat, '1' or '0'  7 µs by which it counts as submitted earlier  8 project  9 runner of its batch, or ''
--       10… the record's fields, flat
-- Returns {'created', N, room, then of one that is no batch's line what `placed` says} | {'existing', N, room} | {'conflict', N} | {'gone', N: its record is} | {'full', ''}
--   | {'over', limit, bound, ms until it may be tried again, room} | {'lost', ''}: its batch is no longer the runner's;
--   room is what the project may still take, as JSON.
-- Twice: the second call finds the record and answers 'created' again, with what waits before it by then.
-- The idempotency key does not expire before its job has ended (finish sets the time).
local n, project = ARGV[2], ARGV[8]

-- Writes something, so that this connection, too, can wait for the durability of what was written before.
local function known(answer, first)
  redis.call('SET', prefix .. 'probe', '1', 'PX', 1000)
  return {answer, first, headroom(project)}
end

local fields = {unpack(ARGV, 10)}
local job = {}
for i = 1, #fields, 2 do job[fields[i]] = fields[i + 1] end
local of_batch = KEYS[4] ~= ''

-- What its caller is told besides: when it was created (µs), how many of its project's wait before it, and what of the
-- project bears upon that, as jobs/standing.py reads it.
local function placed()
  if of_batch then return {'created', n, headroom(project)} end
  local standing = redis.call('HMGET', project_key(project), 'blocked', 'weight', 'max_in_flight')
  return {'created', n, headroom(project), record(n).created, redis.call('ZRANK', queue_key(job.backlog, project), n) or 0,
    redis.call('SCARD', project_slots_key(project)), unpack(standing)}
end

if redis.call('EXISTS', KEYS[1]) == 1 then return placed() end
if of_batch and not runs(job.batch, ARGV[9], 'in_progress') then return {'lost', ''} end

if KEYS[2] ~= '' then
  local held = redis.call('GET', KEYS[2])
  if held then
    local first, digest = held:match('^(%x+):(%x+)$')
    if digest ~= ARGV[3] then return known('conflict', first) end
    return known(redis.call('EXISTS', job_key(first)) == 1 and 'existing' or 'gone', first)
  end
elseif KEYS[3] ~= '' and ARGV[6] == '1' then
  local first = redis.call('GET', KEYS[3])
  if first and redis.call('EXISTS', job_key(first)) == 1 then return known('existing', first) end
end

local source = of_batch and 'batch' or 'api'
local queued = tonumber(redis.call('HGET', prefix .. 'counters', 'queued_bytes') or '0')
if queued + tonumber(job.request_bytes) > tonumber(ARGV[4]) then
  meter('refused\nqueued_bytes\n' .. source, 1)
  return {'full', ''}
end
-- A batch leaves half of what is counted in jobs to everybody else.
local refusal = admit(project, tonumber(job.tokens), tonumber(job.nano_held), of_batch and 0.5 or 1)
if refusal then
  meter('refused\n' .. refusal[1] .. '\n' .. source, 1)
  return {'over', refusal[1], refusal[2], refusal[3], headroom(project)}
end

records[n] = {} -- nothing is kept of it yet
write(n, 'schema', GENERATION, 'status', 'queued', 'created', int(now_us), 'queued', int(now),
  'order', int(now_us - tonumber(ARGV[7])), 'project', project, unpack(fields))
redis.call('ZADD', index_key(project, 'queued'), int(now_us), n)
redis.call('SADD', prefix .. 'projects', project)
count('queued_bytes', tonumber(job.request_bytes))
tally(project, {0})
if of_batch then redis.call('SADD', batch_running_key(job.batch), n) end
if KEYS[2] ~= '' then
  redis.call('SET', KEYS[2], n .. ':' .. ARGV[3])
  write(n, 'idempotency', KEYS[2])
elseif KEYS[3] ~= '' then
  redis.call('SET', KEYS[3], n, 'PX', 900000)
end
if tonumber(ARGV[5]) > 0 then redis.call('ZADD', prefix .. 'deadlines', int(now + tonumber(ARGV[5])), n) end
enqueue(n)
meter('submitted\n' .. source .. '\n' .. counted_as(job.backlog), 1)
return placed()
