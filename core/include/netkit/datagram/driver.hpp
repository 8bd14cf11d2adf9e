// What carries datagrams between sockets and what speaks the native protocol (a Server, a Client,
// or something around one that knows plain datagrams too), on the loop.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <netkit/datagram/output_queue.hpp>
#include <netkit/datagram/socket_set.hpp>
#include <netkit/loop/event_loop.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit::datagram {

// [loop] Reads what arrives in batches and runs what is due; at the end of every turn of the loop
// sends a round of what is waiting and sets the one timer. So nothing has to be called after the
// handler's own functions, on whatever occasion. While a socket would block nothing more is
// drained. Allocates nothing per datagram; no wake-ups while the handler has no deadline.
class NETKIT_API Driver : private SocketSet::Handler {
 public:
  // What is driven: a state machine without sockets. None of these may call the driver.
  class NETKIT_API Handler {
   public:
    virtual ~Handler() = default;
    virtual void on_datagram(const Endpoint& from, std::string_view datagram, TimePoint now) = 0;
    virtual void tick(TimePoint now) = 0;
    virtual TimePoint next_deadline() const = 0;  // TimePoint::max(): none
    // Adds what is to be sent; true: more is waiting (Server::drain()). Called once a turn, after
    // all that the turn brought, so what is said together goes out together.
    virtual bool drain(OutputQueue& queue, TimePoint now) = 0;
    // The kernel refused a datagram to `to`, or (on a connected socket) reports one refused
    // earlier.
    virtual void on_refused(const Endpoint& to, int error) { (void)to, (void)error; }
    // With Options::report_unreachable: nobody is at the port of `to` any more, as an ICMP error
    // says.
    virtual void on_unreachable(const Endpoint& to) { (void)to; }
  };
  using Options = SocketSet::Options;

  // Bound sockets, one of each family at most, or one connected; what goes out takes the socket of
  // its address's family. `handler` and `loop` outlive the driver.
  Driver(EventLoop& loop, std::vector<UdpSocket> sockets, Handler& handler, const Options& options);
  Driver(EventLoop& loop, std::vector<UdpSocket> sockets, Handler& handler)
      : Driver(loop, std::move(sockets), handler, Options{}) {}
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  // Sends a round of what is waiting now, not at the end of the turn, for a handler that is given
  // very much within one turn. False: a socket would block.
  bool send_round();
  // Sends all that is waiting now: for a run's last words. False: not all of it, because a socket
  // would block or because there is very much of it.
  bool flush();
  bool blocked() const { return sockets_.blocked(); }
  bool more() const { return more_; }  // the last round did not take all that was waiting

  void set_log(const Log& log) { sockets_.set_log(log); }
  DatagramSenderCounters sent() const { return sockets_.sent(); }
  std::uint64_t kernel_drops() const { return sockets_.kernel_drops(); }
  std::uint64_t truncated() const { return sockets_.truncated(); }

 private:
  void on_datagram(const Endpoint& from, std::string_view datagram) override;
  void on_unreachable(const Endpoint& to, int error) override;
  void on_not_sent(const Endpoint& to, int error) override { handler_.on_refused(to, error); }
  void on_unblocked() override { queue_.clear(); }  // the turn's end goes on sending

  void on_due();
  bool drain_round();
  void set_timer();

  EventLoop& loop_;
  Handler& handler_;
  bool reports_unreachable_;
  OutputQueue queue_;  // what sockets_ refers to
  SocketSet sockets_;
  bool more_ = false;
  TimePoint due_ = TimePoint::max();
  Timer timer_;
  Hook hook_;
};

}  // namespace netkit::datagram
