#!lua flags=allow-oom
-- Parts: base metric webhook delivering
-- Recovers deliveries that a live sender is recorded to make but that none of its threads holds any more.
-- ARGV: 1 prefix  2 sender  3… deliveries
-- Returns how many were recovered. Twice: 0.
local recovered = 0
for i = 3, #ARGV do
  local delivery = read_delivery(ARGV[i], 'stage', 'sender')
  if delivery.sender == ARGV[2] and delivery.stage ~= 'released' then
    recover_delivery(ARGV[i])
    recovered = recovered + 1
  elseif delivery.sender ~= ARGV[2] then
    redis.call('SREM', sender_deliveries_key(ARGV[2]), ARGV[i])
  end
end
return recovered
