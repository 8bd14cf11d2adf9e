// What has to happen at once in Redis, so that it is the same for all servers. netkit-store(7) says
// what the keys hold.
#pragma once

namespace netkit::redis {

// Begins to use a stream. A store that has less than is known here has lost it, or has something
// else in its place: then there is a new epoch, and numbers go on a thousand or two further on,
// where nobody has been. Forgets writers that have appended nothing for a week.
//   KEYS stream state
//   ARGV known-stream known-number fresh-stream fresh-epoch read-number read-id seconds
// Returns stream, epoch, the newest number, the one that the store had, and the newest entry's id.
inline constexpr const char* kAttach = R"(
local function number(entry)
  for i = 1, #entry[2], 2 do
    if entry[2][i] == 'n' then return tonumber(entry[2][i + 1]) or 0 end
  end
  return 0
end
local s, all = {}, redis.call('HGETALL', KEYS[2])
for i = 1, #all, 2 do
  local used = string.sub(all[i], 1, 7) == 'writer:' and tonumber(string.match(all[i + 1], ' (%d+)$') or 0)
  if used and used + 604800 < tonumber(ARGV[7]) then
    redis.call('HDEL', KEYS[2], all[i])
  else
    s[all[i]] = all[i + 1]
  end
end
local known, read = tonumber(ARGV[2]), tonumber(ARGV[5])
local n = tonumber(s.n or '0') or 0
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
if newest then n = math.max(n, number(newest)) end
local survived = n
if read > 0 and read <= n then
  local found = redis.call('XRANGE', KEYS[1], ARGV[6], '+', 'COUNT', 1)[1] or newest
  if found and found[1] ~= ARGV[6] then
    local other = number(found)
    if found ~= newest and other > 0 and other <= read then survived = other - 1 end
    if found == newest and other >= read then survived = read - 1 end
  end
end
local stream, epoch = s.stream, s.epoch
if not stream or not epoch or known > survived then
  if not stream then
    stream = ARGV[3]
    if ARGV[1] ~= '0' then stream = ARGV[1] end
  end
  epoch = ARGV[4]
  n = math.max(n, known)
  if known > 0 and known >= survived then n = (math.floor(n / 1000) + 2) * 1000 end
  redis.call('HSET', KEYS[2], 'stream', stream, 'epoch', epoch, 'n', n)
end
return {stream, epoch, n, survived, newest and newest[1] or '0-0'}
)";

// Appends a batch, without what its writer has appended before. The newest of each topic follows
// the entries, where it is to be kept. What each entry has is written once here: a word costs more
// on its way through a script than in the stream.
//   KEYS stream state last
//   ARGV epoch keep writer:ID seconds entries, for each entry: count text time sequence and as many
//   words as `count` says (field value…), for each topic: which-entry topic packed
// Returns the newest number, how many were appended, and the id of the last of them.
inline constexpr const char* kAppend = R"(
local call, argv, stream, keep = redis.call, ARGV, KEYS[1], ARGV[2]
local s = call('HMGET', KEYS[2], 'epoch', 'n', argv[3])
if s[1] ~= argv[1] then return redis.error_reply('EPOCH the store has lost what it had') end
local n, done = tonumber(s[2]), tonumber(string.match(s[3] or '0', '^%d+'))
local writer = string.sub(argv[3], 8)
local entries, numbers, added, i, id, sequence = tonumber(argv[5]), {}, 0, 6, '', ''
for k = 1, entries do
  local last, text, time = i + 3 + tonumber(argv[i]), argv[i + 1], argv[i + 2]
  sequence = argv[i + 3]
  if tonumber(sequence) > done then
    n, added = n + 1, added + 1
    numbers[k] = n
    if last > i + 3 then
      local words = {unpack(argv, i + 4, last)}
      local w = #words
      words[w + 1], words[w + 2], words[w + 3] = 'time', time, 'writer'
      words[w + 4], words[w + 5], words[w + 6] = writer, 'sequence', sequence
      if k < entries then
        call('XADD', stream, '*', 'n', n, 'text', text, unpack(words))
      else
        id = call('XADD', stream, 'MAXLEN', '~', keep, '*', 'n', n, 'text', text, unpack(words))
      end
    elseif k < entries then
      call('XADD', stream, '*', 'n', n, 'text', text,
           'time', time, 'writer', writer, 'sequence', sequence)
    else
      id = call('XADD', stream, 'MAXLEN', '~', keep, '*', 'n', n, 'text', text,
                'time', time, 'writer', writer, 'sequence', sequence)
    end
  end
  i = last + 1
end
if added == 0 then return {n, 0, id} end
while argv[i] do
  local number = numbers[tonumber(argv[i])]
  if number then
    number = string.format('%.0f', number)
    call('HSET', KEYS[3], argv[i + 1], argv[i + 2] .. 'n:' .. #number .. ':' .. number .. ',')
  end
  i = i + 3
end
call('HSET', KEYS[2], 'n', n, argv[3], sequence .. ' ' .. argv[4])
return {n, added, id}
)";

// Gives an entry that another program has added its number, which it has the place of: once,
// whoever finds it first. It is deleted last: what may fail, for want of memory or of too many
// fields, leaves it there.
//   KEYS stream state  ARGV id
inline constexpr const char* kAdopt = R"(
local found = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])
if #found == 0 then return 0 end
local n = (tonumber(redis.call('HGET', KEYS[2], 'n') or '0') or 0) + 1
redis.call('XADD', KEYS[1], '*', 'n', string.format('%.0f', n), unpack(found[1][2]))
redis.call('HSET', KEYS[2], 'n', string.format('%.0f', n))
redis.call('XDEL', KEYS[1], ARGV[1])
return n
)";

// KEYS name names  ARGV owner milliseconds takes-over name
// Returns who has it then.
inline constexpr const char* kClaim = R"(
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] and ARGV[3] ~= '1' then return holder end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local now = redis.call('TIME')
redis.call('ZADD', KEYS[2], math.floor(now[1] * 1000 + now[2] / 1000) + ARGV[2], ARGV[4])
return ARGV[1]
)";

// KEYS name names  ARGV owner name
inline constexpr const char* kRelease = R"(
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
  redis.call('ZREM', KEYS[2], ARGV[2])
end
return 1
)";

// KEYS names
inline constexpr const char* kNames = R"(
local now = redis.call('TIME')
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', math.floor(now[1] * 1000 + now[2] / 1000))
return redis.call('ZRANGE', KEYS[1], 0, -1)
)";

}  // namespace netkit::redis
