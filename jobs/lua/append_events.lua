#!lua
-- Parts: base log
-- Adds events that attempt A reads to the job's log, and tells its followers. What an attempt before left there is declared void first.
-- The first event has the sequence number 3, each next one the next, and the id in the stream is the number after, '-0'.
-- KEYS: 1 job:N  2 log:N
-- ARGV: 1 prefix  2 N  3 worker id  4 attempt  5 how many of the attempt's events come before these
--       6 '1' if with these the attempt's answer is there from its beginning to its end, or '0'  7 most bytes of the log
--       8… type and event as JSON, of each
-- Returns how many of the attempt's events are there now, -1 if the job is no longer this worker's, or -2 if the log would get too long.
-- Tells on the log's channel, where it is not much: the number of the first event added, and then type and event of each, by lines.
-- Twice: adds nothing more. The log expires with the record (finish sets the time).
local MOST_TOLD = 16384
local n = ARGV[2]
local job = look_up(n, 'worker', 'attempt', 'stage', 'log_attempt', 'log_count', 'log_bytes', 'log_last')
if job.worker ~= ARGV[3] or job.attempt ~= ARGV[4] or job.stage ~= 'running' then return -1 end
local known = job.log_attempt == ARGV[4]
local count = known and tonumber(job.log_count) or 0
local last, bytes = tonumber(job.log_last or 2), tonumber(job.log_bytes or 0)
local first = 8 + 2 * (count - tonumber(ARGV[5]))
if first < 8 then return -1 end
for i = first, #ARGV do bytes = bytes + #ARGV[i] end
if bytes > tonumber(ARGV[7]) then return -2 end

local function add(type, event)
  last = last + 1
  redis.call('XADD', KEYS[2], int(last + 1) .. '-0', 'type', type, 'event', event)
end

local news
if not known then
  clear(n, 'log_whole')
  if tonumber(job.log_count or 0) > 0 then
    news = 'restarted'
    add(RESTARTED, restarted(ARGV[4]))
    write(n, 'log_void', int(last))
  end
end
if not news and first <= #ARGV then
  news = int(last + 1) .. '\n' .. table.concat(ARGV, '\n', first)
end
for i = first, #ARGV, 2 do
  add(ARGV[i], ARGV[i + 1])
  count = count + 1
end
write(n, 'log_attempt', ARGV[4], 'log_count', count, 'log_bytes', int(bytes), 'log_last', int(last))
if ARGV[6] == '1' then write(n, 'log_whole', ARGV[4]) end
redis.call('PUBLISH', KEYS[2], news and #news <= MOST_TOLD and news or 'events')
return count
