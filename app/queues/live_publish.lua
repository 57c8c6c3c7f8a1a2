-- PUBLISH: tell the gateways of some sessions what a worker says, each in one message.
--
-- KEYS[i]  hash    s:<job>:at     owner, run
-- ARGV[2i - 1]  the run that says it    ARGV[2i]  what it says (JSON, on one line)
--
-- Whose owner is looked up here, in one step with the telling: after a TAKE OVER nothing goes to the gateway before.
-- What an earlier run says, once a later one has said something, is dropped. Returns how many were told.

local told = 0
local lines = {}
for i, key in ipairs(KEYS) do
  local held = redis.call('HMGET', key, 'owner', 'run')
  local run = tonumber(ARGV[2 * i - 1])
  local last = tonumber(held[2] or '0')
  if held[1] and run >= last then
    if run > last then
      redis.call('HSET', key, 'run', ARGV[2 * i - 1])
    end
    local gateway = string.match(held[1], '^[^:]+')
    if gateway then
      lines[gateway] = lines[gateway] or {}
      table.insert(lines[gateway], ARGV[2 * i])
      told = told + 1
    end
  end
end
for gateway, said in pairs(lines) do
  redis.call('PUBLISH', 'live:' .. gateway, table.concat(said, '\n'))
end
return told
