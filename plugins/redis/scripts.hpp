// What has to happen at once in Redis, so that it is the same for all servers. netkit-store(7) says
// what the keys hold.
#pragma once

namespace netkit::redis {

// Begins to use a stream. A store that has less than is known here has lost it: then there is a new
// epoch, and numbers go on a thousand or two further on, where nobody has been.
//   KEYS stream state  ARGV known-stream known-number fresh-stream fresh-epoch
// Returns stream, epoch, the newest number, and the one that the store had.
inline constexpr const char* kAttach = R"(
local s = redis.call('HMGET', KEYS[2], 'stream', 'epoch', 'n')
local known = tonumber(ARGV[2])
local n = tonumber(s[3] or '0') or 0
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
if newest[1] then
  local f = newest[1][2]
  for i = 1, #f, 2 do
    if f[i] == 'n' then n = math.max(n, tonumber(f[i + 1]) or 0) end
  end
end
local survived = n
local stream, epoch = s[1], s[2]
if not stream or not epoch or known > n then
  if not stream then
    stream = ARGV[3]
    if ARGV[1] ~= '0' then stream = ARGV[1] end
  end
  epoch = ARGV[4]
  if known > 0 and known >= n then n = (math.floor(known / 1000) + 2) * 1000 end
  redis.call('HSET', KEYS[2], 'stream', stream, 'epoch', epoch, 'n', string.format('%.0f', n))
end
return {stream, epoch, string.format('%.0f', n), string.format('%.0f', survived)}
)";

// Appends a batch, without what its writer has appended before.
//   KEYS stream state last writer
//   ARGV epoch keep keep-last, then for each entry: sequence topic packed count field value…
inline constexpr const char* kAppend = R"(
local s = redis.call('HMGET', KEYS[2], 'epoch', 'n')
if s[1] ~= ARGV[1] then return redis.error_reply('EPOCH the store has lost what it had') end
local n = tonumber(s[2])
local done = tonumber(redis.call('GET', KEYS[4]) or '0')
local i = 4
while i <= #ARGV do
  local count = tonumber(ARGV[i + 3])
  if tonumber(ARGV[i]) > done then
    n = n + 1
    local number = string.format('%.0f', n)
    redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'n', number, unpack(ARGV, i + 4, i + 3 + count))
    if ARGV[3] == '1' then redis.call('HSET', KEYS[3], ARGV[i + 1], ARGV[i + 2] .. 'n:' .. #number .. ':' .. number .. ',') end
    done = tonumber(ARGV[i])
  end
  i = i + 4 + count
end
redis.call('HSET', KEYS[2], 'n', string.format('%.0f', n))
redis.call('SET', KEYS[4], string.format('%.0f', done), 'EX', 604800)
return n
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
