// What carries datagrams between sockets and an engine (a ServerEndpoint, a ClientEndpoint, or
// something around one that knows plain datagrams too), on the loop.
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

// What a SocketDriver drives. [loop] None of these may call the driver.
class NETKIT_API Engine {
 public:
  virtual ~Engine() = default;
  virtual void on_datagram(const Endpoint& from, std::string_view datagram, TimePoint now) = 0;
  virtual void tick(TimePoint now) = 0;
  virtual TimePoint next_deadline() const = 0;  // TimePoint::max(): none
  // Adds what is to be sent; true: more is waiting (ServerEndpoint::drain()). Called once a turn,
  // after all that the turn brought, so what is said together goes out together.
  virtual bool drain(OutputQueue& queue, TimePoint now) = 0;
  // The kernel refused a datagram to `to`, or (on a connected socket) reports one refused earlier.
  virtual void on_refused(const Endpoint& to, int error) { (void)to, (void)error; }
};

// [loop] Reads what arrives in batches and runs what is due; at the end of every turn of the loop
// sends a round of what is waiting and sets the one timer. So nothing has to be called after the
// engine's own functions, on whatever occasion. While a socket would block nothing more is drained.
// Allocates nothing per datagram; no wake-ups while the engine has no deadline.
class NETKIT_API SocketDriver : private SocketSet::Handler {
 public:
  // Bound sockets, one of each family at most, or one connected; what goes out takes the socket of
  // its address's family. `engine` and `loop` outlive the driver.
  SocketDriver(EventLoop& loop, std::vector<UdpSocket> sockets, Engine& engine);
  SocketDriver(const SocketDriver&) = delete;
  SocketDriver& operator=(const SocketDriver&) = delete;

  // Sends what is waiting now, not at the end of the turn: for a run's last words. False: not all
  // of it, because a socket would block or because there is very much of it.
  bool flush();
  void set_log(const Log& log) { sockets_.set_log(log); }
  DatagramSenderCounters sent() const { return sockets_.sent(); }
  std::uint64_t kernel_drops() const { return sockets_.kernel_drops(); }
  std::uint64_t truncated() const { return sockets_.truncated(); }

 private:
  void on_datagram(const Endpoint& from, std::string_view datagram) override;
  void on_unreachable(const Endpoint& to, int error) override { engine_.on_refused(to, error); }
  void on_not_sent(const Endpoint& to, int error) override { engine_.on_refused(to, error); }
  void on_unblocked() override { queue_.clear(); }  // end_turn() goes on sending

  void on_due();
  void end_turn();
  bool send_round();  // false: a socket would block
  void set_timer();

  EventLoop& loop_;
  Engine& engine_;
  OutputQueue queue_;  // what sockets_ refers to
  SocketSet sockets_;
  bool more_ = false;  // the engine has more than one round
  TimePoint due_ = TimePoint::max();
  Timer timer_;
  Hook hook_;
};

}  // namespace netkit::datagram
