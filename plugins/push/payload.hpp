// What push says in CONNECT and ACCEPT of the native protocol (netkit-protocol(7), "push").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace netkit::push {

inline constexpr std::size_t kMaxName = 255;  // bytes of a subscriber's name

// A client's request. Numbers mean something in one stream only: that of one run of a server.
struct Request {
  std::uint64_t stream = 0;  // the stream that `since` belongs to; 0: the one there is
  std::uint64_t since = 0;   // the first record that is wanted; 0: from now on
  std::string_view name;     // valid as long as the payload
};

// A server's answer.
struct Welcome {
  std::uint64_t stream = 0;
  std::uint64_t first = 0;  // the number that the client's records begin with
};

// The name without white space around it; nothing when it is empty or over kMaxName. Any thread, as
// all of these.
std::optional<std::string_view> clean_name(std::string_view text);

std::string encode(const Request& request);
std::string encode(const Welcome& welcome);
// Nothing for another version, a size that does not fit, or a name that clean_name() refuses.
std::optional<Request> decode_request(std::string_view payload);
std::optional<Welcome> decode_welcome(std::string_view payload);

}  // namespace netkit::push
