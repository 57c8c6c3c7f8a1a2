-- SPEND: take a token out of a bucket that fills by itself.
--
-- KEYS[1]  string  when the bucket is full again, in ms of this server's clock; it is full if the key is not there
-- ARGV[1]  tokens that the bucket holds
-- ARGV[2]  time in which one token comes back, ms
-- ARGV[3]  tokens to take; 0: only look
--
-- Returns 0 if the tokens were there (to look: if one is), else the ms until they are. (The generic cell rate algorithm.)

-- Redis 6.2 lets a script write after it has asked for the time only if effects are replicated.
redis.replicate_commands()
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local wanted = math.max(tonumber(ARGV[3]), 1)
local wait = full + wanted * tonumber(ARGV[2]) - now - tonumber(ARGV[1]) * tonumber(ARGV[2])
if wait > 0 then
  return math.ceil(wait)
end
if tonumber(ARGV[3]) > 0 then
  full = full + tonumber(ARGV[3]) * tonumber(ARGV[2])
  redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', string.format('%.0f', math.max(full - now, 1)))
end
return 0
