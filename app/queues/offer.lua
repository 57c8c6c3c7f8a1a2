-- OFFER: put a job into a queue, once, at its fair place.
--
-- KEYS[1]  sorted set  <queue>            job id -> score; the lowest score is served first
-- KEYS[2]  hash        <queue>:tags       "<class>:<project>" -> where that project's next job may start
-- ARGV[1]  job id
-- ARGV[2]  project id
-- ARGV[3]  class of priority, 0 is served first
-- ARGV[4]  cost: seconds of sound divided by the project's weight
--
-- Score = class * 2^40 + tag. Tags are start tags of start-time fair queueing (Goyal, Vin, Cheng 1996): a job
-- starts where its project's last one ended, but never before the job now at the head of its class.
-- Returns 1 if offered, 0 if it was there already.

if redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  return 0
end

local base = tonumber(ARGV[3]) * 1099511627776
local head = redis.call('ZRANGEBYSCORE', KEYS[1], base, '(' .. string.format('%.0f', base + 1099511627776),
                        'WITHSCORES', 'LIMIT', 0, 1)
local field = ARGV[3] .. ':' .. ARGV[2]
local tag = 0
if head[2] then
  local ended = tonumber(redis.call('HGET', KEYS[2], field) or '0')
  tag = math.max(tonumber(head[2]) - base, ended)
end

redis.call('ZADD', KEYS[1], string.format('%.3f', base + tag), ARGV[1])
if not head[2] then
  -- Nobody of this class waits: what was served before no longer matters.
  for _, other in ipairs(redis.call('HKEYS', KEYS[2])) do
    if string.sub(other, 1, #ARGV[3] + 1) == ARGV[3] .. ':' then
      redis.call('HDEL', KEYS[2], other)
    end
  end
end
redis.call('HSET', KEYS[2], field, string.format('%.3f', tag + tonumber(ARGV[4])))
return 1
