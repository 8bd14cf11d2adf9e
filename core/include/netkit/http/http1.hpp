// HTTP/1.1 on the wire (RFC 9112): reading requests and writing answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <netkit/http/chunk_decoder.hpp>
#include <netkit/http/http_body.hpp>
#include <netkit/http/http_request.hpp>
#include <netkit/http/http_routes.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// Push style, one request at a time; any split of the input gives the same result. [one thread]
class NETKIT_API HttpRequestParser {
 public:
  explicit HttpRequestParser(const HttpLimits& limits = {}, const Endpoint& peer = {})
      : limits_(limits), body_(limits.bodies, peer.address()) {
    request_.peer = peer;
  }

  enum class State { more, done, failed };
  struct Progress {
    State state = State::more;
    std::size_t consumed = 0;  // of the input; what follows belongs to the next request
  };
  // After done, request() is the request, and the next call begins another. After failed,
  // status() and reason() say what to answer before closing; the parser is of no more use. Its
  // body is kept until the next one begins, or drop_body().
  Progress feed(std::string_view input);

  const HttpRequest& request() const { return request_; }
  // Whether the client sends the body only once it is told to continue (RFC 9110, section 10.1.1);
  // true once.
  bool take_expectation() { return std::exchange(expects_, false); }
  void drop_body();
  int status() const { return status_; }  // 400, 413, 414, 431, 501, 503 or 505
  std::string_view reason() const { return reason_; }
  // No byte of a request has come since the last one.
  bool idle() const { return complete_ || head_.empty(); }

 private:
  struct Slice {
    std::size_t begin;
    std::size_t length;
  };
  bool is_too_large(bool has_line_feed) const;
  bool is_no_method() const;
  bool end_line();
  bool take_request_line(std::string_view line);
  bool take_target(std::string_view target);
  bool take_header(std::string_view line, std::size_t line_begin);
  bool finish();
  bool check_body();
  std::size_t take_body(std::string_view input);
  bool fail(int status, std::string_view reason);
  std::string_view text(Slice slice) const;
  void restart();

  HttpLimits limits_;
  std::string head_;            // everything of this request so far
  std::size_t line_begin_ = 0;  // in head_
  bool has_request_line_ = false;
  bool complete_ = false;
  bool in_body_ = false;
  bool expects_ = false;  // to be told to continue
  std::uint64_t body_left_ = 0;
  std::optional<HttpChunkDecoder> chunks_;  // of a body that comes so
  HttpBody body_;
  Slice method_{};
  Slice path_{};
  Slice query_{};
  std::vector<std::pair<Slice, Slice>> headers_;
  HttpRequest request_;
  int status_ = 0;
  std::string_view reason_;
};

// How an answer is put on the wire.
struct HttpFraming {
  bool is_head = false;            // the request was HEAD: the body is left out
  bool is_chunked = false;         // what a stream is, from HTTP/1.1 on
  bool closes = false;             // the connection ends after it
  std::optional<WallTime> date{};  // none: no Date
};

// Appends the head, and the body as far as the answer has it. Any thread, as all of these.
NETKIT_API void append_answer(std::string& out, const HttpAnswer& answer,
                              const HttpFraming& framing);

// `body` as a chunk, which must not be empty: an empty one is the last.
NETKIT_API void append_chunk(std::string& out, std::string_view body);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";
// Sent to a client that waits with its body: HttpRequestParser::take_expectation().
inline constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace netkit
