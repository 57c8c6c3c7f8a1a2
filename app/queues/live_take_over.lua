-- TAKE OVER: become the connection that may add to a session's input.
--
-- KEYS[1]  stream  s:<job>:in     the input that is not yet committed
-- KEYS[2]  hash    s:<job>:at     owner, received (bytes), n (controls so far), run (of the worker's last words)
-- KEYS[3]  string  s:<job>:owner  there as long as the owner gives signs of life
-- ARGV[1]  owner, "<gateway>:<connection>"
-- ARGV[2]  bytes held, should Redis know nothing of the session
-- ARGV[3]  seconds after which all is forgotten    ARGV[4]  seconds that an owner lives without a sign
-- ARGV[5]  what the owner before is told
--
-- Returns the bytes held.

local held = redis.call('HMGET', KEYS[2], 'owner', 'received')
if not held[2] then
  -- Lost or new. Controls are numbered from the clock on, so that none has a number from before the loss.
  local now = redis.call('TIME')
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[2], 'received', ARGV[2], 'n', string.format('%s%06d', now[1], now[2]))
  held[2] = ARGV[2]
elseif held[1] and held[1] ~= '' and held[1] ~= ARGV[1] then
  redis.call('PUBLISH', 'live:' .. string.match(held[1], '^[^:]*'), (string.gsub(ARGV[5], '%%OWNER%%', held[1])))
end
redis.call('HSET', KEYS[2], 'owner', ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[3])
redis.call('SET', KEYS[3], '1', 'EX', ARGV[4])
return tonumber(held[2])
