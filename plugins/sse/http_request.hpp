// HTTP/1.1 requests (RFC 9112), as far as `sse serve` answers any: heads without bodies.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace netkit::sse {

struct RequestLimits {
  std::size_t max_line = 8192;   // the request line, and each header line
  std::size_t max_headers = 64;  // how many header lines
  std::size_t max_head = 32768;  // all together
};

struct HttpHeader {
  std::string_view name;   // as it came
  std::string_view value;  // without white space around it
};

// Views into the parser, valid until its next call.
struct HttpRequest {
  std::string_view method;  // as it came; methods are case-sensitive
  std::string_view path;    // percent-encoded, without the query; "*" for `OPTIONS *`
  std::string_view query;   // without the question mark
  int minor_version = 1;    // of HTTP/1.x
  bool keep_alive = true;
  std::vector<HttpHeader> headers;

  // The first header of that name, compared without case.
  std::optional<std::string_view> header(std::string_view name) const;
};

// The id to replay after: the Last-Event-ID header, else the `lastEventId` of the query, percent
// decoded (for readers that cannot set headers). Empty: none.
std::string last_event_id_of(const HttpRequest& request);

// Push style, one request at a time; any cut of the input gives the same. [one thread]
class HttpRequestParser {
 public:
  explicit HttpRequestParser(const RequestLimits& limits = {}) : limits_(limits) {}

  enum class State { more, done, failed };
  struct Progress {
    State state = State::more;
    std::size_t consumed = 0;  // of the input; what follows belongs to the next request
  };
  // After done, request() is the request, and the next call begins another. After failed,
  // status() and reason() say what to answer before closing; the parser is of no more use.
  Progress feed(std::string_view input);

  const HttpRequest& request() const { return request_; }
  int status() const { return status_; }  // 400, 414, 431 or 505
  std::string_view reason() const { return reason_; }
  // No byte of a request has come since the last one.
  bool idle() const { return complete_ || head_.empty(); }

 private:
  struct Slice {
    std::size_t begin;
    std::size_t length;
  };
  bool is_too_large(bool has_line_feed) const;
  bool end_line();
  bool take_request_line(std::string_view line);
  bool take_target(std::string_view target);
  bool take_header(std::string_view line, std::size_t line_begin);
  bool finish();
  bool fail(int status, std::string_view reason);
  std::string_view text(Slice slice) const;
  void restart();

  RequestLimits limits_;
  std::string head_;            // everything of this request so far
  std::size_t line_begin_ = 0;  // in head_
  bool has_request_line_ = false;
  bool complete_ = false;
  Slice method_{};
  Slice path_{};
  Slice query_{};
  std::vector<std::pair<Slice, Slice>> headers_;
  HttpRequest request_;
  int status_ = 0;
  std::string_view reason_;
};

}  // namespace netkit::sse
