// The UDP sockets of a server, as one place to send from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/datagram_receiver.hpp>
#include <netkit/net/datagram_sender.hpp>
#include <netkit/net/udp_socket.hpp>

namespace netkit::push {

// [loop] Sends by the socket of the peer's family. What is added must stay until flush() says that
// all is sent; nothing may be added while blocked().
class Transmitter {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void on_datagram(const Endpoint& from, std::string_view datagram) = 0;
    virtual void on_read_done() = 0;                      // the datagrams at hand were all
    virtual void on_unreachable(const Endpoint& to) = 0;  // an ICMP error said so
    virtual void on_not_sent(const Endpoint& to, int error) = 0;
    virtual void on_unblocked() = 0;  // what was left has been sent
  };
  static constexpr std::size_t kQueue = 4096;  // datagrams that fit between two flushes

  Transmitter(EventLoop& loop, std::vector<UdpSocket> sockets, Handler& handler);
  ~Transmitter();

  void add(const Endpoint& to, std::string_view head, std::string_view body);
  std::size_t queued() const { return queued_; }  // datagrams added since all was sent
  bool flush();                                   // true: all is sent
  bool blocked() const { return blocked_; }
  DatagramSenderCounters counters() const;
  std::uint64_t kernel_drops() const { return receiver_.kernel_drops(); }
  bool has_port(std::uint16_t port) const;  // one of the sockets has it

 private:
  struct Port {
    UdpSocket socket;
    Endpoint local;
    DatagramSender sender;
    Watch watch;
    bool left = false;  // something waits for the socket
  };
  Port& port_for(const Endpoint& to);
  void on_ready(Port& port, Ready ready);
  void read(Port& port);

  Handler& handler_;
  std::vector<std::unique_ptr<Port>> ports_;
  DatagramReceiver receiver_;
  std::size_t queued_ = 0;
  bool blocked_ = false;
};

}  // namespace netkit::push
