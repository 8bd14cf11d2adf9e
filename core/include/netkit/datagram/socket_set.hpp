// The UDP sockets of a program as one place to read from and to send by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/datagram_receiver.hpp>
#include <netkit/net/datagram_sender.hpp>
#include <netkit/net/udp_socket.hpp>
#include <netkit/util/export.hpp>
#include <netkit/util/log.hpp>

namespace netkit::datagram {

// [loop] Bound sockets, one of each family at most, or one connected. What is added takes the
// socket of its address's family and must stay until all is sent; nothing may be added while
// blocked(). Allocates nothing per datagram.
class NETKIT_API SocketSet {
 public:
  // None of these may destroy the set.
  class NETKIT_API Handler {
   public:
    virtual ~Handler() = default;
    virtual void on_datagram(const Endpoint& from, std::string_view datagram) = 0;
    // The port is closed, as an ICMP error says: of a connected socket's peer (`to` is 0.0.0.0:0),
    // or of one to which an unconnected socket with Options::report_unreachable sent.
    virtual void on_unreachable(const Endpoint& to, int error) = 0;
    // A datagram could not be sent.
    virtual void on_not_sent(const Endpoint& to, int error) = 0;
    // What was left when flush() said no has been sent.
    virtual void on_unblocked() {}
  };
  struct Options {
    std::size_t capacity = DatagramReceiver::kMaxDatagram;  // longer datagrams are dropped, counted
    bool report_unreachable = false;
  };
  static constexpr std::size_t kQueue = 1u << 16;  // datagrams that fit between two flushes

  SocketSet(EventLoop& loop, std::vector<UdpSocket> sockets, Handler& handler,
            const Options& options);
  SocketSet(EventLoop& loop, std::vector<UdpSocket> sockets, Handler& handler)
      : SocketSet(loop, std::move(sockets), handler, Options{}) {}
  ~SocketSet();
  SocketSet(const SocketSet&) = delete;
  SocketSet& operator=(const SocketSet&) = delete;

  void add(const Endpoint& to, std::string_view head, std::string_view body = {});
  std::size_t queued() const { return queued_; }  // datagrams added since all was sent
  bool flush();                                   // true: all is sent
  bool blocked() const { return blocked_; }       // the last flush() did not send all

  DatagramSenderCounters sent() const;
  std::uint64_t kernel_drops() const { return receiver_.kernel_drops(); }
  std::uint64_t truncated() const { return truncated_; }
  // Says there, at -vv, what is received and sent. `log` outlives the set.
  void set_log(const Log& log) { log_ = log.enabled(LogLevel::protocol) ? &log : nullptr; }
  bool has_port(std::uint16_t port) const;  // one of the sockets has it

 private:
  struct Port {
    UdpSocket socket;
    Endpoint local;
    DatagramSender sender;
    std::size_t queued = 0;
    bool left = false;  // something waits for the socket
    Watch watch;
  };
  Port& port_for(const Endpoint& to);
  void flush(Port& port);
  void on_ready(Port& port, Ready ready);
  void read(Port& port);
  void log_sending(const Endpoint& to, std::string_view head, std::string_view body) const;

  Handler& handler_;
  bool reports_unreachable_;
  std::vector<std::unique_ptr<Port>> ports_;
  DatagramReceiver receiver_;
  const Log* log_ = nullptr;
  std::size_t queued_ = 0;
  bool blocked_ = false;
  std::uint64_t truncated_ = 0;
};

}  // namespace netkit::datagram
