-- APPEND: add sound to a session's input.
--
-- KEYS[1]  stream  s:<job>:in     entries "<end byte>-0" with a field a (sound)
-- KEYS[2]  hash    s:<job>:at     owner, received (bytes)
-- ARGV[1]  owner    ARGV[2]  the byte that the sound starts at    ARGV[3]  the sound
--
-- Returns the bytes held: what is there already is left out. -1: the sound does not follow on what is held, or
-- nothing is known of the session; -2: another connection is the owner.

local SIZE = 32768

local held = redis.call('HMGET', KEYS[2], 'owner', 'received')
if not held[2] then
  return -1
end
if held[1] ~= ARGV[1] then
  return -2
end
local received = tonumber(held[2])
local start = tonumber(ARGV[2])
if start > received then
  return -1
end
local stop = start + #ARGV[3]
while received < stop do
  local upto = math.min(received + SIZE, stop)
  local piece = string.sub(ARGV[3], received - start + 1, upto - start)
  redis.call('XADD', KEYS[1], string.format('%.0f-0', upto), 'a', piece)
  received = upto
end
redis.call('HSET', KEYS[2], 'received', string.format('%.0f', received))
return received
