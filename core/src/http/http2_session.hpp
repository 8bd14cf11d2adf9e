// The server's side of one connection of HTTP/2 (RFC 9113), by nghttp2, which is in a library of
// its own: netkit/http2.so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <netkit/http/http_request.hpp>
#include <netkit/http/http_routes.hpp>
#include <netkit/net/tcp_stream.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// Pure: bytes come in by receive(), and go out by pull(). The handler is called by these two alone,
// when nghttp2 has done its part, and may call back. [one thread]
class Http2Session {
 public:
  using StreamId = std::int32_t;

  class Handler {
   public:
    virtual ~Handler() = default;
    // To be answered by respond(), now or later. The views are valid until this returns.
    virtual void on_request(StreamId stream, const HttpRequest& request) = 0;
    // A request that can be answered by this alone.
    virtual void on_bad_request(StreamId stream, int status, std::string_view reason) = 0;
    // The stream is backed_up() no more.
    virtual void on_drained(StreamId stream) = 0;
    // Once for each request, when it is over, even where it was never whole. `by_peer`: before the
    // answer was.
    virtual void on_closed(StreamId stream, bool by_peer) = 0;
  };
  struct Options {
    HttpLimits limits{};
    Endpoint peer{};
    // Marks for the queued part of a stream's body; a sixteenth of them while more than four times
    // high_water is queued for all streams together.
    std::size_t low_water = std::size_t{256} << 10U;
    std::size_t high_water = std::size_t{1} << 20U;
    std::uint32_t max_streams = 100;  // at a time
  };

  // `handler` outlives it. Loads nghttp2. Throws Error where that cannot be.
  NETKIT_API static std::unique_ptr<Http2Session> make(Handler& handler, const Options& options);
  virtual ~Http2Session() = default;

  virtual void receive(std::string_view bytes) = 0;
  // Appends what is to be sent next, and stops after about `most` bytes.
  virtual void pull(std::string& out, std::size_t most) = 0;

  // Begins an answer; one without a stream is whole. `is_head`: its body stays out.
  virtual void respond(StreamId stream, const HttpAnswer& answer, bool is_head,
                       std::optional<WallTime> date) = 0;
  // More of an answer with a stream: `size` bytes of `payload` from `begin` on.
  virtual void write(StreamId stream, const SharedPayload& payload, std::size_t begin,
                     std::size_t size) = 0;
  virtual void finish(StreamId stream) = 0;
  // It is not whole, and will not be: the stream is reset after what was written.
  virtual void reset(StreamId stream) = 0;
  // More waits than high_water, and on_drained() will follow when it is down to low_water.
  virtual bool backed_up(StreamId stream) const = 0;

  // The peer is told that further requests are not answered (GOAWAY).
  virtual void shut_down() = 0;
  // How many requests are not whole yet, and how many are whole and not over.
  virtual std::size_t incomplete() const = 0;
  virtual std::size_t open() const = 0;
  // Neither is anything expected from the peer nor is there anything to tell it.
  virtual bool over() const = 0;
  // It was no HTTP/2 that came: the session is over once pull() has nothing more.
  virtual bool failed() const = 0;
};

// The entry of netkit/http2.so.
using Http2LibraryEntry = Http2Session* (*)(Http2Session::Handler& handler,
                                            const Http2Session::Options& options);
inline constexpr char kHttp2LibraryEntry[] = "netkit_http2_session";

}  // namespace netkit
