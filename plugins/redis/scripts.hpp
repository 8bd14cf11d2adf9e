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
    if entry[2][i] == 'n' then
      local n = tonumber(entry[2][i + 1]) or 0
      return n < 2 ^ 53 and n or 0
    end
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
local n = tonumber(s.n or '')
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
n = n or (newest and number(newest)) or 0
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

// Appends a batch, without what its writer has appended before, unless a batch that was given just
// before is not there. The newest of each topic follows the entries, where it is to be kept. What
// each entry has is written once, and its number put together from digits: a word costs more on its
// way through a script than in the stream, and so does a number that Lua makes a text of.
//   KEYS stream state last
//   ARGV epoch keep writer:ID writer mark mark-before sequence-before entries words, for each
//   entry: count text time sequence and as many words as `count` says (field value…), for each
//   topic: which-entry topic packed `mark`: what is remembered of the writer, `sequence seconds`;
//   `mark-before`: what that is thought to be now; `sequence-before`: of the batch that has to be
//   there, or 0; `words`: the count of every entry, which then has none of its own, or empty
// Returns the newest number, how many were appended, and the id of the last of them.
inline constexpr const char* kAppend = R"(
local call, argv, stream = redis.call, ARGV, KEYS[1]
local s = call('HMGET', KEYS[2], 'epoch', 'n', argv[3])
if s[1] ~= argv[1] then return redis.error_reply('EPOCH the store has lost what it had') end
local is_new, done = s[3] == argv[6], 0
if not is_new then
  done = tonumber(string.match(s[3] or '0', '^%d+'))
  if done < tonumber(argv[7]) then return redis.error_reply('ORDER the batch before was refused') end
end
local n, writer, entries, words = tonumber(s[2]), argv[4], tonumber(argv[8]), tonumber(argv[9])
local digits, digit = {[0] = '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'}, n % 10
local tens = n < 10 and '' or string.format('%.0f', (n - digit) / 10)
local i, added, numbers, number, id = 10, 0, {}, nil, ''
for k = 1, entries do
  local count = words
  if not count then
    count = tonumber(argv[i])
    i = i + 1
  end
  local text, time, sequence = argv[i], argv[i + 1], argv[i + 2]
  is_new = is_new or tonumber(sequence) > done
  if is_new then
    n, added, digit = n + 1, added + 1, digit + 1
    if digit == 10 then
      tens, digit = string.format('%.0f', n / 10), 0
    end
    number = tens .. digits[digit]
    numbers[k] = number
    if count == 0 then
      id = call('XADD', stream, '*', 'n', number, 'text', text,
                'time', time, 'writer', writer, 'sequence', sequence)
    elseif count == 2 then
      id = call('XADD', stream, '*', 'n', number, 'text', text, argv[i + 3], argv[i + 4],
                'time', time, 'writer', writer, 'sequence', sequence)
    else
      local fields = {unpack(argv, i + 3, i + 2 + count)}
      for j, word in ipairs({'time', time, 'writer', writer, 'sequence', sequence}) do
        fields[count + j] = word
      end
      id = call('XADD', stream, '*', 'n', number, 'text', text, unpack(fields))
    end
  end
  i = i + 3 + count
end
if added == 0 then return {n, 0, id} end
call('XTRIM', stream, 'MAXLEN', '~', argv[2])
while argv[i] do
  local its = numbers[tonumber(argv[i])]
  if its then
    call('HSET', KEYS[3], argv[i + 1], argv[i + 2] .. 'n:' .. #its .. ':' .. its .. ',')
  end
  i = i + 3
end
call('HSET', KEYS[2], 'n', number, argv[3], argv[5])
return {n, added, id}
)";

// The same for an entry that comes alone, and that somebody waits for: what Redis has not done for
// a millisecond costs several times as much as what it does all the time.
//   KEYS stream state
//   ARGV epoch keep writer:ID mark mark-before sequence number-before number field value…
//   `number`: what the entry's is if the newest is `number-before`
inline constexpr const char* kAppendOne = R"(
local s = redis.call('HMGET', KEYS[2], 'epoch', 'n', ARGV[3])
if s[1] ~= ARGV[1] then return redis.error_reply('EPOCH the store has lost what it had') end
if s[3] ~= ARGV[5] and tonumber(string.match(s[3] or '0', '^%d+')) >= tonumber(ARGV[6]) then
  return {s[2], 0, ''}
end
local n = s[2] == ARGV[7] and ARGV[8] or string.format('%.0f', s[2] + 1)
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'n', n, unpack(ARGV, 9))
redis.call('HSET', KEYS[2], 'n', n, ARGV[3], ARGV[4])
return {n, 1, id}
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
