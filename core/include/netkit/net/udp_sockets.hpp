// All UDP sockets of a program, to read from and to send by: the common part of UdpServer and
// UdpClient.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/datagram_receiver.hpp>
#include <netkit/net/datagram_sender.hpp>
#include <netkit/net/udp_socket.hpp>
#include <netkit/util/export.hpp>
#include <netkit/util/log.hpp>

namespace netkit {

class ByteArena;

// [loop] Reads in batches and sends in batches. What is sent takes the socket of its address's
// family. Allocates nothing per datagram. None of the callbacks may destroy it.
class NETKIT_API UdpSockets {
 public:
  struct Options {
    std::size_t capacity = DatagramReceiver::kMaxDatagram;  // longer datagrams are dropped, counted
    bool group = false;  // brings what leaves with one flush() together by peer
    // Also report ICMP errors of unconnected sockets: peers whose port is closed.
    bool report_unreachable = false;
    // Sleeps for some microseconds before it reads where that makes larger batches and nobody
    // slower: for a server whose only work is answering.
    bool gather = false;
    // Where datagrams are logged at -vv, with the description that `describe` gives. The log
    // outlives the sockets.
    const Log* log = nullptr;
    std::string_view (*describe)(std::string_view datagram) = nullptr;
  };

  UdpSockets(const UdpSockets&) = delete;
  UdpSockets& operator=(const UdpSockets&) = delete;

  // Adds a datagram made of `head` then `body` to what the next flush() sends; the bytes must stay
  // until all is sent. What is added while blocked() waits as well; over kQueue it is dropped and
  // counted (no_room). `ect` as of DatagramSender::add().
  void send(const Endpoint& to, std::string_view head, std::string_view body = {},
            const DatagramSource& source = {}, bool ect = false);
  static constexpr std::size_t kQueue = 1u << 16;
  std::size_t queued() const { return queued_; }  // datagrams added since all was sent
  // Sends what is queued: equal-sized runs to one peer by UDP_SEGMENT, all by sendmmsg. False: not
  // all of it, as a socket would block; it continues by itself, and on_unblocked() says when all is
  // sent.
  bool flush();
  bool blocked() const { return blocked_; }  // the last flush() did not send all

  DatagramSenderCounters sent() const;
  // Datagrams that the kernel dropped for lack of room (SO_RXQ_OVFL).
  std::uint64_t kernel_drops() const { return receiver_.kernel_drops(); }
  std::uint64_t truncated() const { return truncated_; }  // dropped: longer than `capacity`
  // Where the sockets are bound.
  std::vector<Endpoint> local() const;

 protected:
  struct Port {
    UdpSocket socket;
    Endpoint local;
    DatagramSender sender;
    std::size_t queued = 0;
    bool left = false;  // something waits for the socket
    Watch watch;
  };

  UdpSockets(EventLoop& loop, std::vector<UdpSocket> sockets, const Options& options);
  virtual ~UdpSockets();

  // One message that is whole. `port` is where it came in.
  virtual void on_message(Port& port, const ReceivedMessage& message) = 0;
  // The port is closed, or it cannot be reached, as an ICMP error says: of a connected socket's
  // peer (`to` is 0.0.0.0:0 then), or of one that an unconnected socket with report_unreachable
  // sent to.
  virtual void on_unreachable(const Endpoint& to, int error) = 0;
  // A datagram could not be sent.
  virtual void on_not_sent(const Endpoint& to, int error) = 0;
  virtual void on_unblocked() = 0;

  // Adds an answer to the message being read, which is sent before anything else is read: `data`
  // may be part of what was received. While the socket does not accept it reading is paused, so
  // that a flood ends up in the kernel's buffer and is counted there.
  void answer(Port& port, const Endpoint& to, std::string_view data, std::size_t segment_size,
              const DatagramSource& source);
  // A copy of `data` that stays until all is sent, for answer(). Nothing, and counted (no_room),
  // if too much is queued for the socket already.
  std::optional<std::string_view> keep(std::string_view data);
  // Another socket in place of the first; what was queued is dropped.
  void replace(UdpSocket socket);
  void log_sending(const Endpoint& to, std::string_view datagram) const;  // at -vv
  Port& first() const { return *ports_.front(); }
  EventLoop& loop() const { return loop_; }
  const Log* log() const { return log_; }
  const std::vector<std::unique_ptr<Port>>& ports() const { return ports_; }

 private:
  class Pace;

  Port& port_for(const Endpoint& to, const IpAddress& source) const;
  void watch(Port& port);
  void on_ready(Port& port, Ready ready);
  void read(Port& port);
  void take(Port& port, const ReceivedMessage& message);
  void flush(Port& port);
  void say_not_sent();
  void update_interest();

  EventLoop& loop_;
  Options options_;
  const Log* log_;  // null below -vv
  std::vector<std::unique_ptr<Port>> ports_;
  DatagramReceiver receiver_;
  std::unique_ptr<Pace> pace_;
  std::unique_ptr<ByteArena> kept_;
  std::vector<std::pair<Endpoint, int>> not_sent_;  // by the flush() under way
  std::size_t queued_ = 0;
  bool blocked_ = false;
  bool answering_ = false;  // what is queued refers to what reading would overwrite
  std::uint64_t truncated_ = 0;
  std::uint64_t no_room_ = 0;
};

}  // namespace netkit
