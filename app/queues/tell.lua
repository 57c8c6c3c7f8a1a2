-- TELL: append events to the logs of their jobs, and say them to those who watch.
--
-- KEYS[i]        stream  events:<job>     the log of the job of the i-th event
-- ARGV[1]        channel on which every event is said
-- ARGV[2]        seconds that a log is kept after its last event
-- ARGV[3]        about how many entries a log keeps
-- ARGV[2i + 2]   sequence number of the i-th event: an entry's id
-- ARGV[2i + 3]   the event
--
-- An event whose number is not above the last one of its log is late: it is neither kept nor said.
-- One that cannot be kept, because memory is full, is said all the same.
-- Returns how many were kept.

local kept = 0
for i, log in ipairs(KEYS) do
  local seq, event = ARGV[2 * i + 2], ARGV[2 * i + 3]
  local added = redis.pcall('XADD', log, 'MAXLEN', '~', ARGV[3], seq .. '-1', 'e', event)
  local refused = type(added) == 'table' and added.err
  if not refused then
    kept = kept + 1
    redis.call('EXPIRE', log, ARGV[2])
  end
  if not refused or not string.find(refused, 'equal or smaller', 1, true) then
    redis.call('PUBLISH', ARGV[1], event)
  end
end
return kept
