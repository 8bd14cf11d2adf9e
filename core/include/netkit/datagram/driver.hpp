// Carries datagrams between sockets and a state machine of the native protocol (a Server, a Client,
// or something around one that handles plain datagrams as well), on the loop.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include <netkit/datagram/options.hpp>
#include <netkit/datagram/output_queue.hpp>
#include <netkit/loop/event_loop.hpp>
#include <netkit/net/udp_client.hpp>
#include <netkit/net/udp_server.hpp>
#include <netkit/record/totals.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit::datagram {

// [loop] Reads what arrives in batches and runs what is due; at the end of every turn of the loop
// it sends a round of what is waiting and sets its timer, so nothing has to be called after the
// handler's own functions. While a socket would block nothing more is drained. Allocates nothing
// per datagram; no wake-ups while the handler has no deadline.
class NETKIT_API Driver : private UdpServer::Handler, private UdpClient::Handler {
 public:
  // What is driven: a state machine without sockets. None of these may call the driver.
  class NETKIT_API Handler {
   public:
    virtual ~Handler() = default;
    virtual void on_datagram(const Path& from, std::string_view datagram, TimePoint now) = 0;
    virtual void tick(TimePoint now) = 0;
    virtual TimePoint next_deadline() const = 0;  // TimePoint::max(): none
    // Adds what is to be sent; true: more is waiting (Server::drain()). Called once per turn, after
    // everything else in it, so that messages of one turn go out together.
    virtual bool drain(OutputQueue& queue, TimePoint now) = 0;
    // The kernel refused a datagram to `to`, or (of a client) reports one refused earlier.
    virtual void on_refused(const Endpoint& to, int error) { (void)to, (void)error; }
    // For a server that reports it: the port of `to` has been closed.
    virtual void on_unreachable(const Endpoint& to) { (void)to; }
    // For a client: another address of the server is being tried, as the previous one refused; what
    // was sent is lost.
    virtual void on_next_address(TimePoint now) { (void)now; }
  };

  // For a server, with bound sockets. What the policy refuses does not reach the handler.
  // `handler`, `loop` and the log outlive the driver.
  Driver(EventLoop& loop, std::vector<UdpSocket> sockets, Handler& handler,
         UdpServer::Options options);
  // For a client: as UdpClient, with the addresses that resolve() gave. Throws SystemError when
  // none can be reached.
  Driver(EventLoop& loop, std::vector<Endpoint> server, Handler& handler,
         UdpClient::Options options);
  ~Driver() override;
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  // Sends a round of what is waiting now, instead of at the end of the turn, for a handler that
  // produces a lot within one turn. False: a socket would block.
  bool send_round();
  // Sends everything that is waiting now, at the end of a run. False if some of it is left, because
  // a socket would block or there is too much.
  bool flush();
  bool more() const { return more_; }  // the last round did not take all that was waiting

  const UdpSockets& sockets() const { return sockets_; }
  // A server's part of datagram_server_totals() (netkit/cli/shared_definitions.hpp); `native` holds
  // the counters of the handler's protocol.
  void show(Totals& totals, const Counters& native) const;
  const AnswerPolicy& policy() const { return server_->policy(); }  // a server's
  const Endpoint& peer() const { return client_->peer(); }          // a client's

 private:
  void on_datagram(const ReceivedMessage& from, std::string_view datagram) override;
  void on_unreachable(const Endpoint& to) override { handler_.on_unreachable(to); }
  void on_not_sent(const Endpoint& to, int error) override { handler_.on_refused(to, error); }
  void on_datagram(std::string_view datagram) override;
  void on_next_address(int error) override;
  using UdpServer::Handler::on_refused;  // not hidden by the client's
  void on_refused(int error) override { handler_.on_refused(peer(), error); }
  void on_unblocked() override { queue_.clear(); }  // the turn's end continues sending

  void on_due();
  bool drain_round();
  void set_timer();

  EventLoop& loop_;
  Handler& handler_;
  OutputQueue queue_;  // what the sockets refer to
  std::optional<UdpServer> server_;
  std::optional<UdpClient> client_;
  UdpSockets& sockets_;  // of one of the two
  bool more_ = false;
  TimePoint due_ = TimePoint::max();
  Timer timer_;
  Hook hook_;
};

}  // namespace netkit::datagram
