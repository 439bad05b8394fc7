-- Stands behind every script's body, which is the function `call` by then, and runs it for each call that came. One that fails
-- leaves the others as they are.
-- KEYS: those of all calls   ARGV: 1 prefix  2 how many calls, then of each: how many keys and words it has, its words
-- Returns what each call answered.
local answers, key, word = {}, 0, 2
for i = 1, tonumber(ARGV[2]) do
  local own_keys, own_words = {}, {prefix}
  local last_key, last_word = key + tonumber(ARGV[word + 1]), word + 2 + tonumber(ARGV[word + 2])
  for j = key + 1, last_key do own_keys[#own_keys + 1] = KEYS[j] end
  for j = word + 3, last_word do own_words[#own_words + 1] = ARGV[j] end
  key, word = last_key, last_word
  local well, answer = pcall(call, own_keys, own_words)
  if not well and type(answer) ~= 'table' then answer = {err = 'ERR ' .. tostring(answer)} end
  answers[i] = answer or false
  now_us = now_us + 1 -- no two calls share a moment: what came first stays first
end
at_the_end()
return answers
