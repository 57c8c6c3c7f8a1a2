-- KEEP: a sign of life of the connection that owns a session; or its leave.
--
-- KEYS[1]  stream  s:<job>:in    KEYS[2]  hash  s:<job>:at    KEYS[3]  string  s:<job>:owner
-- ARGV[1]  owner    ARGV[2]  seconds that it lives without a sign; 0: it leaves
-- ARGV[3]  seconds after which all is forgotten
--
-- Returns 1; 0: it is not, or no longer, the owner.

if redis.call('HGET', KEYS[2], 'owner') ~= ARGV[1] then
  return 0
end
if ARGV[2] == '0' then
  redis.call('HSET', KEYS[2], 'owner', '')
  redis.call('DEL', KEYS[3])
else
  redis.call('SET', KEYS[3], '1', 'EX', ARGV[2])
end
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[3])
return 1
