#!lua flags=allow-oom
-- Parts: base lane queue budget adopting
-- Takes over jobs that an older release accepted: gives their records what they lack, and a place in a backlog.
-- ARGV: 1 prefix  2… job numbers
-- Returns how many it took over. Twice: 0.
local adopted = 0
for i = 2, #ARGV do
  if adopt(ARGV[i]) then adopted = adopted + 1 end
end
return adopted
