-- Batches: files of requests whose lines are jobs. `b` is a batch's number; the record `batch:B` is the truth, and also says who runs it.

local function batch_key(b) return prefix .. 'batch:' .. b end
local function batch_running_key(b) return prefix .. 'batch_running:' .. b end
local function batch_refusals_key(b) return prefix .. 'batch_refusals:' .. b end
local function batches_key(project) return prefix .. 'batches:' .. project end

local function read_batch(b, ...) return fields_of(batch_key(b), ...) end

-- Whether the runner has the batch, and it still is what the runner takes it for.
local function runs(b, runner, status)
  local batch = read_batch(b, 'runner', 'status')
  return batch.runner == runner and batch.status == status
end

-- Has the batch looked at at `at` (ms) by whoever comes first.
local function look_at_batch(b, at) redis.call('ZADD', prefix .. 'batches_open', int(at), b) end

-- With so few lines that run, a look at the batch is worth it: there is room for many more, or nothing to wait for.
local FEW_LINES = {[500] = true, [0] = true}

-- Counts the end of a line, once: it is a line that runs no more. Has a batch that rests for nothing else looked at.
local function count_line(b, n, status)
  if redis.call('SREM', batch_running_key(b), n) == 0 then return end
  local good = status == 'completed' or status == 'incomplete'
  redis.call('HINCRBY', batch_key(b), good and 'completed_lines' or 'failed_lines', 1)
  local batch = read_batch(b, 'runner', 'reason', 'goes')
  if batch.runner or batch.goes or (batch.reason or '') ~= '' then return end
  if FEW_LINES[redis.call('SCARD', batch_running_key(b))] then look_at_batch(b, now) end
end

-- Lets go of a file that the batch has read.
local function let_go(file)
  if tonumber(redis.call('HGET', prefix .. 'file:' .. file, 'batches') or 0) > 0 then
    redis.call('HINCRBY', prefix .. 'file:' .. file, 'batches', -1)
  end
end

-- Removes what is kept of a batch that has ended.
local function forget_batch(b, project)
  redis.call('ZREM', prefix .. 'batches_open', b)
  redis.call('ZREM', batches_key(project), b)
  redis.call('UNLINK', batch_key(b), batch_refusals_key(b), batch_running_key(b))
end
