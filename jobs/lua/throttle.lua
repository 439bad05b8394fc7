#!lua flags=allow-oom
-- Parts: base metric lane
-- Slows a lane down after its upstream said so. A volley of refusals counts once: what was let in before the last cut,
-- or within a second after it, tells nothing new.
-- KEYS: 1 lane:L
-- ARGV: 1 prefix  2 lane  3 N of the job that was refused  4 ms to pause  5 reason
--       6 what is at fault: 'requests' or 'tokens' (a minute), 'width' (calls in flight), 'account' (nothing may go but one
--         probe), 'endpoint' (a fault more; three in a row open the breaker), or 'pause'  7 limit that the upstream told, or ''  8 attempt
-- Returns the ms until which the lane is paused, or 0 if this attempt was heard before. Twice: 0.
local lane, fault, told = ARGV[2], ARGV[6], tonumber(ARGV[7])
local job = look_up(ARGV[3], 'status', 'told', 'released')
if job.told == ARGV[8] then return 0 end
if job.status then write(ARGV[3], 'told', ARGV[8]) end
meter('holds\n' .. fault .. '\n' .. counted_as(lane), 1)
local state = fields_of(KEYS[1], 'paused_until', 'pause_reason', 'cut_at', 'cut_until', 'streak', 'probe', 'probe_job', 'openings')
local paused_until, cut_at = tonumber(state.paused_until or 0), tonumber(state.cut_at or 0)
local released = tonumber(job.released or now)
local news = released > cut_at and now - cut_at >= 1000

local function pause(ms)
  if now + ms <= paused_until then return end
  paused_until = now + ms
  redis.call('HSET', KEYS[1], 'paused_until', int(paused_until), 'pause_reason', ARGV[5])
end

-- What the lane let in since a second, without the present one, whose answers are still on their way.
local function let_in(kind, since)
  local sum = 0
  for _, start in ipairs(starts_of(lane, kind)) do
    if start[1] > since and start[1] < second then sum = sum + start[2] end
  end
  return sum
end

-- The rate a minute that the lane learns from a refusal at `rate` (nil: it had none).
local function lesson(kind, rate, ms)
  local minute = let_in(kind, second - 61)
  -- What more than that came through in a minute is no limit of a minute.
  if told and told >= 1 and minute <= 1.1 * told and (not rate or told < rate) then return told end
  -- Without a rate it is what came in a minute, but enough to find out soon whether more would go.
  if not rate then return math.max(60, minute + tonumber(redis.call('HGET', starts_key(lane), kind .. ':' .. second) or 0)) end
  if cut_at > 0 and now - cut_at < 120000 and let_in(kind, math.floor(cut_at / 1000)) == 0 then
    -- Nothing came through since the last cut: a window is full, and what went into it is its size.
    return minute >= 0.25 * rate and math.min(rate, minute) or rate
  end
  local less = 0.7 * rate
  -- After a calm time the rate is nearly right.
  if now - cut_at > 30000 then less = math.max(less, math.min(0.95 * rate, minute)) end
  if ms >= 5000 then less = math.min(less, math.max(minute, 0.3 * rate)) end
  return less
end

local function learn(kind, ms)
  local rate = tonumber(redis.call('HGET', KEYS[1], kind .. '_rate') or nil)
  local learned = math.max(1, lesson(kind, rate, ms))
  if rate and learned >= rate then return end
  redis.call('HSET', KEYS[1], kind .. '_learned', learned, kind .. '_learned_at', int(now))
  tell(lane, kind .. '_per_minute is ' .. int(learned) .. ' for now: ' .. ARGV[5])
end

local function narrow()
  local in_flight = redis.call('SCARD', slots_key(lane))
  local width = math.max(1, math.floor((now - cut_at > 30000 and cut_at > 0 and 0.9 or 0.7) * in_flight))
  redis.call('HSET', KEYS[1], 'width_learned', width, 'width_learned_at', int(now))
  tell(lane, 'in_flight is ' .. width .. ' for now: ' .. ARGV[5])
end

local function probe()
  if not state.probe then tell(lane, 'paused, then one call at a time until one is answered: ' .. ARGV[5]) end
  redis.call('HSET', KEYS[1], 'probe', fault)
end

-- ms until a window of a minute has room again: when what came through first leaves it. Nothing came: a minute.
local function window_ms()
  for _, start in ipairs(starts_of(lane, 'requests')) do
    if start[2] > 0 then return math.max(1000, (start[1] + 61) * 1000 - now) end
  end
  return 60000
end

local function refused()
  -- The upstream answers, so it is up.
  redis.call('HDEL', KEYS[1], 'faults', 'openings')
  if state.probe == 'endpoint' then redis.call('HDEL', KEYS[1], 'probe', 'probe_job') end
  local ms = tonumber(ARGV[4])
  if news then
    -- Pauses grow while one follows the other, but not beyond what a full window takes.
    local streak = now - tonumber(state.cut_until or 0) < 10000 and tonumber(state.streak or 0) + 1 or 0
    ms = math.max(ms, math.min(window_ms(), 500 * 2 ^ math.min(streak, 7)))
    if fault == 'width' then narrow() else learn(fault, ms) end
    redis.call('HSET', KEYS[1], 'cut_at', int(now), 'cut_until', int(now + ms), 'streak', streak)
  end
  pause(ms)
end

local function fault_of_endpoint()
  local faults = redis.call('HINCRBY', KEYS[1], 'faults', 1)
  pause(tonumber(ARGV[4]))
  if faults < 3 or (state.probe and state.probe_job ~= ARGV[3]) then return end
  probe()
  local openings = redis.call('HINCRBY', KEYS[1], 'openings', 1)
  pause(math.min(60000, 1000 * 2 ^ math.min(openings, 6)))
end

if fault == 'requests' or fault == 'tokens' then
  local at = math.floor(released / 1000)
  if at > second - 61 then count_starts(lane, int(at), fault == 'requests' and -1 or 0, 0) end
  refused()
elseif fault == 'width' then refused()
elseif fault == 'endpoint' then fault_of_endpoint()
else
  if fault == 'account' then probe() end
  pause(tonumber(ARGV[4]))
end
keep(lane, paused_until)
return paused_until
