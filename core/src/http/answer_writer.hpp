// Answers as the bytes of HTTP/1.1 (RFC 9112).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <netkit/http/http_routes.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// How an answer is put on the wire.
struct HttpFraming {
  bool is_head = false;            // the request was HEAD: the body stays out
  bool is_chunked = false;         // what a stream is, from HTTP/1.1 on
  bool closes = false;             // the connection ends with it
  std::optional<WallTime> date{};  // none: no Date
};

// Appends the head, and the body as far as the answer has it. Any thread, as all of these.
NETKIT_API void append_answer(std::string& out, const HttpAnswer& answer,
                              const HttpFraming& framing);

// `body` as a chunk, which must not be empty: an empty one is the last.
NETKIT_API void append_chunk(std::string& out, std::string_view body);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace netkit
