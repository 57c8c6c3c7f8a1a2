-- APPEND: add sound to the inputs of some sessions.
--
-- KEYS[2i - 1]  stream  s:<job>:in     entries "<end byte>-0" with a field a (sound)
-- KEYS[2i]      hash    s:<job>:at     owner, received (bytes)
-- ARGV[3i - 2]  owner    ARGV[3i - 1]  the byte that the sound starts at    ARGV[3i]  the sound
--
-- Returns for each the bytes held: what is there already is left out. -1: the sound does not follow on what is held,
-- or nothing is known of the session; -2: another connection is the owner.

local SIZE = 32768

local function append(stream, at, owner, start, sound)
  local held = redis.call('HMGET', at, 'owner', 'received')
  if not held[2] then
    return -1
  end
  if held[1] ~= owner then
    return -2
  end
  local received = tonumber(held[2])
  if start > received then
    return -1
  end
  local stop = start + #sound
  if stop <= received then
    return received
  end
  while received < stop do
    local upto = math.min(received + SIZE, stop)
    local piece = sound
    if received > start or upto < stop then
      piece = string.sub(sound, received - start + 1, upto - start)
    end
    redis.call('XADD', stream, string.format('%.0f-0', upto), 'a', piece)
    received = upto
  end
  redis.call('HSET', at, 'received', string.format('%.0f', received))
  return received
end

local answers = {}
for i = 1, #KEYS / 2 do
  answers[i] = append(KEYS[2 * i - 1], KEYS[2 * i], ARGV[3 * i - 2], tonumber(ARGV[3 * i - 1]), ARGV[3 * i])
end
return answers
