#!lua flags=allow-oom
-- Parts: base metric webhook delivering silence absence
-- Takes back the deliveries of senders that died, and those that nobody claimed or a silent one did not yet, a bounded piece at a call; any sender calls it.
-- KEYS: 1 delivery_sweep (lease)
-- ARGV: 1 prefix  2 ms in which one sweep is enough  3 most of each kind  4 lease ms of a sender  5 ms until a release is taken back
-- Returns {recovered from dead senders, taken back unclaimed}, or {} if another swept just now.
-- Twice: does the next piece. The lease expires by itself.
if not redis.call('SET', KEYS[1], '1', 'NX', 'PX', ARGV[2]) then return {} end
local most = tonumber(ARGV[3])
local function due(name) return redis.call('ZRANGEBYSCORE', prefix .. name, '-inf', int(now), 'LIMIT', 0, most) end

local away, before = absence('deliveries_swept', tonumber(ARGV[4]))
if away then
  renew_all('senders', sender_key, tonumber(ARGV[4]), away, before)
  renew_due('deliveries_released', tonumber(ARGV[5]))
end

local recovered = 0
for _, sender in ipairs(due('senders')) do
  recovered = recovered + recover_deliveries(sender, most - recovered)
  if redis.call('SCARD', sender_deliveries_key(sender)) == 0 then forget_sender(sender) end
  if recovered >= most then break end
end

local unclaimed = due('deliveries_released')
for _, d in ipairs(unclaimed) do
  local sender = redis.call('HGET', delivery_key(d), 'sender')
  if sender and redis.call('ZSCORE', prefix .. 'senders', sender) then
    redis.call('HSET', sender_key(sender), 'stalled', int(now))
  end
  recover_delivery(d)
end

-- What a sender that has fallen silent did not claim is not left to its lease: nothing was sent.
local function take_back(sender)
  for _, d in ipairs(redis.call('SRANDMEMBER', sender_deliveries_key(sender), most)) do
    local delivery = read_delivery(d, 'sender', 'stage')
    if delivery.sender == sender and delivery.stage == 'released' then
      recover_delivery(d)
      table.insert(unclaimed, d)
    end
  end
end

for _, sender in ipairs(away and {} or redis.call('ZRANGEBYSCORE', prefix .. 'senders', '(' .. int(now), '+inf')) do
  if silent(redis.call('HGET', sender_key(sender), 'beat')) then take_back(sender) end
end
count('recovered_deliveries', recovered)
count('unclaimed_deliveries', #unclaimed)
return {recovered, #unclaimed}
