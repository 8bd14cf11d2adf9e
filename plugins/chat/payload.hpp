// What chat puts into the messages of the native protocol: netkit-protocol(7), CHAT. Pure; any
// thread. Views point into the bytes given. Decoders give nothing for what is cut, too long or
// holds a value out of its range; what follows a whole message of known length is ignored, so that
// fields can be added.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <netkit/util/clock.hpp>

namespace netkit::chat {

inline constexpr std::uint8_t kPayloadVersion = 1;
// Bytes of what a member says; what is sent on has the rest of 64 KiB for its head.
inline constexpr std::size_t kMaxText = 65000;
inline constexpr std::size_t kMaxMotd = 900;
inline constexpr std::size_t kMaxName = 64;
inline constexpr std::size_t kMaxTopic = 300;
// The most microseconds since 1970 that a nanosecond clock can express: the year 2262.
inline constexpr std::uint64_t kMaxTime = static_cast<std::uint64_t>(INT64_MAX) / 1000;
inline constexpr std::uint64_t kSinceNow = 0;
inline constexpr std::uint64_t kSinceAll = UINT64_MAX;
// Hello::since for the last `count` messages that are kept: kSinceAll - count.
inline constexpr std::uint64_t kMostSinceLast = 1'000'000;
inline constexpr std::uint64_t kLastShown = 10;  // to a newcomer at a prompt or a page
constexpr std::uint64_t since_last(std::uint64_t count) {
  return kSinceAll - count;
}

// In CONNECT.
struct Hello {
  std::uint64_t instance = 0;       // random; the same as long as the member's process lives
  std::uint64_t room = 0;           // the room that `since` is about; 0: whichever
  std::uint64_t since = kSinceNow;  // number of the first message wanted, or since_last()
  std::uint64_t taken = 0;          // how many of its requests the member knows to be accepted
  std::string_view name;
};

// In ACCEPT.
struct Welcome {
  std::uint64_t room = 0;    // random; another room after every start of the server
  std::uint32_t member = 0;  // what the new member is called in the messages
  std::uint64_t first = 1;   // number of the first message that comes
  std::uint64_t taken = 0;   // how many of its requests were taken: it goes on with the next
  std::uint32_t rate = 0;    // requests a second that are taken; 0: as many as come
  std::string_view motd;
};

enum class LeaveReason : std::uint8_t {
  quit = 0,
  lease = 1,
  reset = 2,
  kicked = 3,
  banned = 4,
  revoked = 5,  // the key was revoked
};
std::string_view to_string(LeaveReason reason);

// From the room to its members. Messages that are not private are numbered by the session; nothing
// else is.
struct Message {
  static constexpr std::uint8_t kPrivate = 0x01;
  static constexpr std::uint8_t kAction = 0x02;  // `/me waves`
  std::uint8_t flags = 0;
  std::uint32_t member = 0;
  std::uint64_t time_us = 0;  // since 1970, UTC; at most kMaxTime
  std::string_view name;
  std::string_view text;
  static std::uint64_t time_of(WallTime time) {
    const auto since_1970 = time.time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(since_1970).count());
  }
  friend bool operator==(const Message&, const Message&) = default;
};
struct Joined {
  std::uint32_t member = 0;
  std::string_view name;
  friend bool operator==(const Joined&, const Joined&) = default;
};
struct Left {
  std::uint32_t member = 0;
  LeaveReason reason = LeaveReason::quit;
  std::string_view name;
  friend bool operator==(const Left&, const Left&) = default;
};
struct Renamed {
  std::uint32_t member = 0;
  std::string_view from;
  std::string_view to;
  friend bool operator==(const Renamed&, const Renamed&) = default;
};
// One of the answers to Who; the last has no name.
struct Present {
  std::string_view name;
  friend bool operator==(const Present&, const Present&) = default;
};
// A request that was not carried out.
struct Refused {
  std::uint64_t request = 0;  // counted as in Welcome::taken: the first is 1
  std::string_view why;
  friend bool operator==(const Refused&, const Refused&) = default;
};
// The answer to Sync.
struct Synced {
  friend bool operator==(const Synced&, const Synced&) = default;
};
// The room's topic, and who set it.
struct Topic {
  std::uint32_t member = 0;
  std::string_view name;
  std::string_view text;  // empty: nothing in particular
  friend bool operator==(const Topic&, const Topic&) = default;
};
// In the order of their codes, from 1 on.
using FromRoom = std::variant<Message, Joined, Left, Renamed, Present, Refused, Synced, Topic>;

// From a member to the room.
struct Say {
  bool action = false;
  std::string_view text;
  friend bool operator==(const Say&, const Say&) = default;
};
// `text` is the addressee's name, a space and the message: the room knows where the name
// ends.
struct Tell {
  std::string_view text;
  friend bool operator==(const Tell&, const Tell&) = default;
};
struct Rename {
  std::string_view name;
  friend bool operator==(const Rename&, const Rename&) = default;
};
struct Who {
  friend bool operator==(const Who&, const Who&) = default;
};
struct Sync {
  friend bool operator==(const Sync&, const Sync&) = default;
};
// An operator's.
struct Kick {
  std::string_view name;
  friend bool operator==(const Kick&, const Kick&) = default;
};
struct Ban {
  std::string_view name;
  friend bool operator==(const Ban&, const Ban&) = default;
};
struct Mute {
  static constexpr std::uint32_t kForever = UINT32_MAX;
  std::uint32_t seconds = kForever;  // 0: unmutes
  std::string_view name;
  friend bool operator==(const Mute&, const Mute&) = default;
};
struct SetTopic {
  std::string_view text;
  friend bool operator==(const SetTopic&, const SetTopic&) = default;
};
// In the order of their codes, from 65 on.
using Request = std::variant<Say, Tell, Rename, Who, Sync, Kick, Ban, Mute, SetTopic>;
// The text of a request that others see; empty for other requests.
std::string_view text_of(const Request& request);

// The name in Unicode's normal form C, so that names which look the same are the same. What is not
// UTF-8 stays as it is.
std::string normal_name(std::string_view name);

// Why `name` cannot be a name, as half a sentence: "is longer than 64 bytes"; empty if it can. A
// name is 1 to 64 bytes of UTF-8 in normal form C without control, line-breaking, bidirectional and
// invisible characters, brackets, white space at its ends or other than single spaces; it does not
// begin with a slash, end like the mark of a private message, or look like an address.
std::string_view why_not_a_name(std::string_view name);

// Each replaces `out`. Names over 255 bytes are cut.
void encode(const Hello& hello, std::string& out);
void encode(const Welcome& welcome, std::string& out);
void encode(const FromRoom& message, std::string& out);
void encode(const Request& request, std::string& out);

std::optional<Hello> decode_hello(std::string_view bytes);
std::optional<Welcome> decode_welcome(std::string_view bytes);
std::optional<FromRoom> decode_from_room(std::string_view bytes);
std::optional<Request> decode_request(std::string_view bytes);

}  // namespace netkit::chat
