-- CONTROL: add to a session's input that it is to be flushed (f) or ends here (e).
--
-- KEYS[1]  stream  s:<job>:in     entries "<byte>-<n>" with a field f or e
-- KEYS[2]  hash    s:<job>:at     owner, received (bytes), n (controls so far)
-- ARGV[1]  owner; empty: the session is ended on behalf of an owner who has gone, and takes no more sound
-- ARGV[2]  f or e    ARGV[3]  the byte at which it ends, should Redis know of less: its worker has heard that much
-- ARGV[4]  seconds after which all is forgotten
--
-- Returns 1; -1: nothing is known of the session; -2: another connection is the owner.

local held = redis.call('HMGET', KEYS[2], 'owner', 'received')
if ARGV[1] ~= '' and not held[2] then
  return -1
end
if ARGV[1] ~= '' and held[1] ~= ARGV[1] then
  return -2
end
if not held[2] then
  local now = redis.call('TIME')
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[2], 'received', ARGV[3], 'n', string.format('%s%06d', now[1], now[2]))
  held[2] = ARGV[3]
end
if ARGV[1] == '' then
  if tonumber(held[2]) < tonumber(ARGV[3]) then
    held[2] = ARGV[3]
  end
  redis.call('HSET', KEYS[2], 'owner', '', 'received', held[2])
end
local n = redis.call('HINCRBY', KEYS[2], 'n', 1)
redis.call('XADD', KEYS[1], held[2] .. '-' .. string.format('%.0f', n), ARGV[2], '')
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[4])
return 1
