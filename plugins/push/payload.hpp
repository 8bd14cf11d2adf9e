// The payloads of push in CONNECT, ACCEPT and BYE of the native protocol (netkit-protocol(7)).
// Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace netkit::push {

inline constexpr std::size_t kMaxName = 255;  // bytes of a subscriber's name

// A client's request. Numbers mean something in one stream only: that of one run of a server.
struct Request {
  static constexpr std::uint64_t kAll = UINT64_MAX;  // of `since`: all that is kept
  std::uint64_t stream = 0;  // the stream that `since` belongs to; 0: the one there is
  std::uint64_t since = 0;   // the first record that is wanted; 0: from now on
  std::string_view name;     // valid as long as the payload
  // With topics, records come as Record, without the session's numbers; empty: all records, as
  // their text. kAll requires topics.
  std::vector<std::string> topics{};
};
inline constexpr std::size_t kMaxTopics = 16;
inline constexpr std::size_t kMaxTopicBytes = 600;  // of all together, with one more for each

// A server's answer.
struct Welcome {
  std::uint64_t stream = 0;
  std::uint64_t first = 0;  // the number that the client's records begin with
};

// Messages to subscribers by topic.
struct Record {
  enum class Kind : std::uint8_t {
    record = 0,
    caught_up = 1,  // all that was kept has been sent; `number` is the next record's
    missing = 2,    // the records `number` to `last` are not kept, or cannot be sent
  };
  Kind kind = Kind::record;
  std::uint64_t number = 0;
  std::uint64_t last = 0;
  std::string_view topic;  // valid as long as the payload
  std::string_view text;
};

// As a message says it that refuses a name, or a request.
inline constexpr std::string_view kNameForm =
    "a name has 1 to 255 bytes, without invisible characters";
inline constexpr std::string_view kReservedName = "that name belongs to a key";
inline constexpr std::string_view kRequestForm =
    "a request has version 1 or 2, a valid name and, in version 2, 1 to 16 valid topic filters";

// Why a subscription has ended, in words for people; native subscribers get them in BYE.
namespace reason {
inline constexpr std::string_view kMoved = "moved";  // its name was taken by another, or it renamed
inline constexpr std::string_view kAsked = "unsubscribed";
inline constexpr std::string_view kLeft = "left";
inline constexpr std::string_view kSilent = "silent";
inline constexpr std::string_view kRefused = "port unreachable";
inline constexpr std::string_view kSlow = "too slow";
inline constexpr std::string_view kEnded = "ended";
inline constexpr std::string_view kRevoked = "the key was revoked";
inline constexpr std::string_view kStopped = "the server stops";
}  // namespace reason

// The name without white space around it; nothing when it is empty, over kMaxName or has_unseen().
std::optional<std::string_view> clean_name(std::string_view text);

std::string encode(const Request& request);
std::string encode(const Welcome& welcome);
void encode(const Record& record, std::string& out);  // in place of what it holds
// Nothing for another version, a size that does not fit, or a name that clean_name() refuses.
std::optional<Request> decode_request(std::string_view payload);
std::optional<Welcome> decode_welcome(std::string_view payload);
std::optional<Record> decode_record(std::string_view payload);

}  // namespace netkit::push
