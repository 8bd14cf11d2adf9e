// The client's side of the native datagram protocol: one session with one server. Pure: datagrams
// and times go in, datagrams and events come out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include <netkit/datagram/options.hpp>
#include <netkit/datagram/output_queue.hpp>
#include <netkit/net/endpoint.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit::datagram {

// [one thread]
class NETKIT_API Client {
 public:
  // Called from within on_datagram(), tick() and resume(). All functions of the client may be
  // called from here but for these and drain().
  class NETKIT_API Handler {
   public:
    virtual ~Handler() = default;
    // The session has begun; `payload` is what the server's application said.
    virtual void on_connected(std::string_view payload) = 0;
    // The server's application refuses. The endpoint is idle.
    virtual void on_rejected(std::uint16_t code, std::string_view text) = 0;
    // One message, in order, once; `record` is the channel's number for it, 0 when it has none.
    virtual void on_message(std::uint64_t record, std::string_view message) = 0;
    // Messages that will never come, reported in their place in the order.
    virtual void on_gap(const Gap& gap) = 0;
    // The session is over (or never began). What was not acknowledged stays counted in
    // unacknowledged() until connect(). Whether to reconnect is up to the driver: connect() may be
    // called at once or later.
    virtual void on_left(LeftReason reason, std::string_view text) = 0;
  };

  // `handler` must outlive it.
  Client(const Options& options, const Endpoint& server, Random random, Handler& handler);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Begins a session; what was queued for one before is forgotten. `payload` (to kMaxPayload bytes)
  // is for the server's application. Follows on_connected, on_rejected or on_left.
  void connect(std::string_view payload, TimePoint now);
  // Numbered messages below `record` are ignored, and if a higher one comes first that is a gap. To
  // be called in on_connected, by a client that knows where its stream continues.
  void expect_record(std::uint64_t record);

  // One datagram from the server; those of other senders must not be passed. `from`: its address if
  // that is known, because the path to another machine is shared with other traffic.
  void on_datagram(std::string_view datagram, TimePoint now, const Path& from = {});
  void tick(TimePoint now);
  TimePoint next_deadline() const;  // TimePoint::max() when idle
  // As Server::drain().
  bool drain(OutputQueue& queue, TimePoint now, std::size_t limit = OutputQueue::kRound);

  // Queues one message, which goes out with the next drain(), together with others. False if it is
  // too long, or not can_send(). May be called as soon as connect() has been.
  bool send(std::string_view message);
  // There is a session or an attempt to start one, and fewer than Options::keep messages are
  // waiting.
  bool can_send() const;
  // Messages given to send() since connect() that the server has not acknowledged.
  std::size_t unacknowledged() const;

  // No more on_message() until resume(), except for the rest of the current datagram: what arrives
  // is held, up to Options::receive_window datagrams, and the server waits.
  void pause();
  void resume(TimePoint now);
  bool paused() const;

  // Delivers what is queued, then sends END; on_left(finished) follows once all is acknowledged.
  void finish(std::string_view text, TimePoint now);
  // Leaves at once with BYE, without on_left(). One more drain() sends it.
  void leave(std::string_view text, TimePoint now);

  // The server's port is closed. True if that needs no action: only the server's last answer was
  // missing, and on_left() has reported the end, or received messages wait for resume(), after
  // which the next refusal counts. Otherwise the caller decides what to do.
  bool on_refused();
  // Whether the session has been refused so rarely since the server was last heard that it should
  // not be given up.
  bool holds_on() const;

  bool connected() const;  // between on_connected and on_left
  bool idle() const;       // neither connected nor connecting
  SessionStatus status() const;
  const Options& options() const;
  const Counters& counters() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace netkit::datagram
