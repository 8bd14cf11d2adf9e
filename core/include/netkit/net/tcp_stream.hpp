// One TCP (or unix) connection on the event loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/endpoint.hpp>
#include <netkit/util/export.hpp>
#include <netkit/util/file.hpp>

namespace netkit {

using SharedPayload = std::shared_ptr<const std::string>;

// Why a TLS stream ended with EPROTO.
enum class StreamFault : std::uint8_t {
  none,
  certificate,  // this side or the peer rejected a certificate, or did not get one
  key,          // there is no pre-shared key, or a different one
  protocol,     // not TLS, or nothing in common
};

// A connected byte stream: TCP, or TLS over it (tls/tls.hpp). What is written is sent at once as
// far as the kernel accepts it; the rest is kept and sent later. [loop] All calls on the
// loop's thread.
class NETKIT_API ByteStream {
 public:
  // The owner of a stream is told what happens to it. A callback may write, pause, close or destroy
  // the stream; destroying it inside its own callback is allowed.
  class NETKIT_API Handler {
   public:
    virtual ~Handler() = default;
    // Bytes as they came; `data` lies in the loop's shared buffer until the callback returns.
    virtual void on_data(ByteStream& stream, std::string_view data) = 0;
    // The peer has finished writing (half-close); the stream can still be written to. The default
    // closes.
    virtual void on_end(ByteStream& stream);
    // The connection is over and nothing more comes: error 0 after close() once all was sent, else
    // an errno (ECONNRESET, EPIPE, ETIMEDOUT, EPROTO for TLS; then `reason` says more). Called
    // once; not after destruction.
    virtual void on_closed(ByteStream& stream, int error, std::string_view reason) = 0;
    // The queue went over the high mark (stop producing) or came back under the low one (continue).
    virtual void on_high_water(ByteStream& stream);
    virtual void on_low_water(ByteStream& stream);
  };

  virtual ~ByteStream() = default;

  virtual void write(
      std::string_view data) = 0;  // copies only what the kernel does not take at once
  virtual void write(const SharedPayload& payload) = 0;  // keeps a reference instead of a copy
  virtual void shutdown_write() = 0;  // sends FIN (close_notify) once all is sent
  virtual void close() = 0;           // sends what is queued, then closes; on_closed follows
  virtual void abort() = 0;           // drops what is queued, closes now; on_closed is not called
  // The same, where there is one with RST instead of FIN, so that the peer sees a broken
  // connection.
  virtual void reset() { abort(); }
  virtual void pause_reading() = 0;
  virtual void resume_reading() = 0;
  virtual std::size_t queued() const = 0;  // bytes that wait to be sent
  virtual void set_water_marks(std::size_t low, std::size_t high) = 0;  // default 256 KiB and 1 MiB
  virtual Endpoint peer() const = 0;
  virtual Endpoint local() const = 0;
  // Whether each write and each on_data() is a separate datagram.
  virtual bool keeps_boundaries() const { return false; }
  // Whether shutdown_write() tells the peer anything.
  virtual bool half_closes() const { return true; }
  virtual StreamFault fault() const { return StreamFault::none; }  // for on_closed() with EPROTO
};

struct TcpOptions {
  bool no_delay = true;
  bool keepalive = false;  // with the two following
  Duration keepalive_idle = std::chrono::seconds(30);
  Duration user_timeout = kNever;  // TCP_USER_TIMEOUT: how long sent data may stay unacknowledged
};

// Sets the options on a TCP socket. Returns an errno or 0.
NETKIT_API int apply(const TcpOptions& options, int fd);

// Takes a connected, non-blocking socket and starts to read. `handler` must outlive the stream. An
// idle connection costs under 256 bytes: the read buffer is the loop's, a write queue exists only
// while something waits in it.
NETKIT_API std::unique_ptr<ByteStream> make_tcp_stream(EventLoop& loop, FileDescriptor socket,
                                                       const Endpoint& peer,
                                                       ByteStream::Handler& handler);

// Makes streams with something between the bytes and the socket: TLS, which net does not know.
class NETKIT_API StreamMaker {
 public:
  virtual ~StreamMaker() = default;

  // Takes a connected socket and `handler` as make_tcp_stream() does. `server_name` is the host a
  // client connects to, empty on a server. `on_ready` is called once the handshake is done, with
  // the protocol negotiated (ALPN), or empty; until then
  // writes are queued. Throws Error. [loop]
  virtual std::unique_ptr<ByteStream> make_stream(
      EventLoop& loop, FileDescriptor socket, const Endpoint& peer, ByteStream::Handler& handler,
      const std::string& server_name, std::function<void(std::string_view alpn)> on_ready) = 0;
};

}  // namespace netkit
