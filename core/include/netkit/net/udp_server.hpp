// A UDP server: sockets, which peers they answer, and from which address.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include <netkit/net/answer_policy.hpp>
#include <netkit/net/interfaces.hpp>
#include <netkit/net/udp_sockets.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// [loop] Checks every datagram by the one AnswerPolicy, and answers permitted ones from the address
// they were sent to. This is all a command needs to be safe and to answer in batches:
//
//     class Serve final : public Command, private UdpServer::Handler {
//       void on_datagram(const ReceivedMessage& from, std::string_view datagram) override {
//         server_->answer(from, reply_to(datagram));
//       }
//     ...
//     UdpServer::Handler& handler = *this;
//     server_.emplace(host.loop(), std::move(sockets.udp), handler, UdpServer::Options{});
//
// Callbacks must not destroy the server.
class NETKIT_API UdpServer final : public UdpSockets {
 public:
  class NETKIT_API Handler {
   public:
    virtual ~Handler() = default;
    // One that may be answered; `from` is the message that contained it.
    virtual void on_datagram(const ReceivedMessage& from, std::string_view datagram) {
      (void)from, (void)datagram;
    }
    // The same by the message, as the kernel gave it, for handlers that can answer several
    // datagrams at once. By default each of them is an on_datagram().
    virtual void on_message(const ReceivedMessage& message) {
      for_each_datagram(message,
                        [&](std::string_view datagram) { on_datagram(message, datagram); });
    }
    // One that must not be answered. If a message exceeds its source's rate, this is called for the
    // rest of it.
    virtual void on_refused(const ReceivedMessage& message, Refusal why) {
      (void)message, (void)why;
    }
    // With Options::report_unreachable: the port has been closed.
    virtual void on_unreachable(const Endpoint& to) { (void)to; }
    // A datagram could not be sent; counted.
    virtual void on_not_sent(const Endpoint& to, int error) { (void)to, (void)error; }
    // What was left when flush() said no has been sent.
    virtual void on_unblocked() {}
  };
  struct Options : UdpSockets::Options {
    AnswerPolicy::Options policy{};  // without a seed it gets a random one
  };

  // Bound sockets, as open_server_sockets() gives them. `handler`, `loop` and the log outlive the
  // server.
  UdpServer(EventLoop& loop, std::vector<UdpSocket> sockets, Handler& handler,
            const Options& options);
  ~UdpServer() override;

  // Only from within on_datagram() or on_message(), and once for each datagram. Answers are sent
  // when the batch being read has been handled. `data` is copied; if too much is queued already it
  // is dropped and counted (no_room).
  void answer(const ReceivedMessage& to, std::string_view data);
  // The same for what was received, unchanged: `data` is to.data or a part of it that begins with a
  // datagram, and is not copied.
  void answer_unchanged(const ReceivedMessage& to, std::string_view data);
  // The address an answer to this message is sent from: for a server that remembers its peers and
  // uses send() later. Only from within on_datagram() or on_message().
  DatagramSource source_of(const ReceivedMessage& message) const;

  const AnswerPolicy& policy() const { return policy_; }

 private:
  class Probe;

  void on_message(Port& port, const ReceivedMessage& message) override;
  void on_unreachable(const Endpoint& to, int error) override;
  void on_not_sent(const Endpoint& to, int error) override;
  void on_unblocked() override { handler_.on_unblocked(); }

  void refuse_rest(const ReceivedMessage& message, std::size_t allowed, Refusal why);
  void probe(const Endpoint& peer, std::string_view answer);
  void on_probe_answer(const Endpoint& peer);

  Handler& handler_;
  const Log* log_;
  LocalNetworks networks_;
  AnswerPolicy policy_;
  std::vector<std::unique_ptr<Probe>> probes_;  // by port
  Port* current_ = nullptr;                     // what is being read
  bool probing_ = false;                        // the next answer goes out by the probe, too
};

}  // namespace netkit
