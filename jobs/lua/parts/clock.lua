-- What a lane's limits allow at present: clocks that refill, and lessons that grow back.

local SHOWN = {requests = 'requests_per_minute', tokens = 'tokens_per_minute', width = 'in_flight'}

-- What a lane learned from refusals grows back: slowly at first, near the rate that was refused, then ever faster.
-- `calm` is the seconds in which a twentieth comes back.
local function grown(value, at, calm)
  local turns = (now - at) / 1000 / calm
  return value * (1 + 0.05 * turns + 0.5 * (turns / 5) ^ 3)
end

-- The bound that holds now, of what is set (nil: none) and what was learned; a lesson that has grown beyond it is forgotten.
local function bound_of(lane, name, set, calm)
  local state = redis.call('HMGET', lane_key(lane), name .. '_learned', name .. '_learned_at')
  if not state[1] then return set end
  local value = grown(tonumber(state[1]), tonumber(state[2]), calm or math.min(300, math.max(60, 18000 / tonumber(state[1]))))
  -- Where nothing is set, a lesson has nothing more to say once it has grown tenfold.
  if value < (set or 10 * tonumber(state[1])) then return value end
  redis.call('HDEL', lane_key(lane), name .. '_learned', name .. '_learned_at')
  tell(lane, SHOWN[name] .. ' is what it was set to again')
  return set
end

-- A clock (GCRA) of `limit` a minute that holds `burst`. It refills at what the burst leaves of the limit, less a little for
-- calls that start later than they were released: no 60 s window exceeds the limit.
local function clock_of(at, limit, burst)
  if not limit then return nil end
  burst = burst or limit * 0.01
  local refill = math.max(limit - burst - 0.004 * limit, 0.5 * (limit - burst))
  return {at = at, per_unit = 60000 / refill, holds = math.max(burst, math.min(1.5, 1 + 0.012 * limit))}
end

-- ms until `cost` units fit, 0 for now; a cost above half of what the clock holds may overdraw one that is half full.
local function wait_for(clock, cost)
  if not clock then return 0 end
  local wait = clock.at - now - (clock.holds - math.min(cost, math.max(1, clock.holds / 2))) * clock.per_unit
  return wait > 0.01 and wait or 0 -- less is a rounding error
end

-- No single job, and no correction, closes a lane for more than ten minutes, whatever it claims to take.
local function charge(clock, cost)
  if not clock then return end
  clock.at = math.min(math.max(clock.at, now) + cost * clock.per_unit, now + 600000)
end
