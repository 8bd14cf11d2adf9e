// The client's side of one connection of HTTP/2 (RFC 9113), by nghttp2, which is in a separate
// library: netkit/http2.so.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/http/http_request.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// Pure: bytes come in by receive(), and go out by pull(). The handler is called by receive(), and
// by pull(), which closes the streams that were cancelled; it may get() and cancel(), and nothing
// else. What has come of a body counts as read, so that the server may send on. [one thread]
class Http2Client {
 public:
  using StreamId = std::int32_t;

  class Handler {
   public:
    virtual ~Handler() = default;
    // The server has said how many streams it takes at a time; once, and before all else.
    virtual void on_ready(std::uint32_t max_streams) = 0;
    // The head of an answer, but not of an interim one (1xx). The views are valid until this
    // returns; `content_type` is empty where there is none.
    virtual void on_head(StreamId stream, int status, std::string_view content_type) = 0;
    virtual void on_body(StreamId stream, std::string_view bytes) = 0;
    // Once for each get(), unless the connection ends before. `is_whole`: the answer is.
    virtual void on_closed(StreamId stream, bool is_whole) = 0;
  };

  // `handler` outlives it. Loads nghttp2. Throws Error where that cannot be.
  NETKIT_API static std::unique_ptr<Http2Client> make(Handler& handler);
  virtual ~Http2Client() = default;

  // Begins a request of `scheme`://`authority``path`; the names of the headers are in lower case.
  // Requests beyond what the server accepts at a time wait. Throws std::bad_alloc.
  virtual StreamId get(std::string_view scheme, std::string_view authority, std::string_view path,
                       const std::vector<HttpHeader>& headers) = 0;
  // Cancels a request: the rest of its answer is not wanted.
  virtual void cancel(StreamId stream) = 0;

  virtual void receive(std::string_view bytes) = 0;
  // Appends what is to be sent next.
  virtual void pull(std::string& out) = 0;
  // The connection can no longer be used, once pull() has nothing more: what came was not HTTP/2,
  // or the server has ended it.
  virtual bool over() const = 0;
};

// The entry of netkit/http2.so.
using Http2ClientEntry = Http2Client* (*)(Http2Client::Handler& handler);
inline constexpr char kHttp2ClientEntry[] = "netkit_http2_client";

}  // namespace netkit
