// Batched reading of datagrams: recvmmsg into buffers that are made once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include <netkit/net/endpoint.hpp>
#include <netkit/net/udp_socket.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// One message as the kernel gave it: a datagram, or, on a socket with `gro`, a super-packet of
// several datagrams of the same sender that lie one after another: each `segment_size` bytes, the
// last may be shorter.
struct ReceivedMessage {
  std::string_view data;           // in the receiver's buffer, until its next receive()
  const Endpoint* peer = nullptr;  // likewise
  std::size_t segment_size = 0;    // 0: one datagram
  IpAddress destination;           // with `packet_info`, else unspecified
  unsigned interface_index = 0;    // with `packet_info`, else 0
  std::uint8_t ecn = 0;            // with `ecn`: the two bits of RFC 3168; one for all of it
  bool truncated = false;          // it was longer than the buffer

  std::size_t segments() const {
    if (segment_size == 0 || data.size() <= segment_size) return 1;
    return (data.size() + segment_size - 1) / segment_size;
  }
};

// Calls `visit(std::string_view datagram)` for each datagram of a message, in order.
template <typename Visit>
void for_each_datagram(const ReceivedMessage& message, Visit&& visit) {
  if (message.segments() == 1) {
    visit(message.data);
    return;
  }
  for (std::size_t at = 0; at < message.data.size(); at += message.segment_size) {
    visit(message.data.substr(at, message.segment_size));
  }
}

// [one thread] Allocates in the constructor only: `batch` buffers of `capacity` bytes, of which
// only the pages that datagrams have reached cost memory. One receiver may serve several sockets in
// turn. Fewer messages than `batch` mean that the socket was empty.
class NETKIT_API DatagramReceiver {
 public:
  static constexpr std::size_t kMaxDatagram = 65535;
  explicit DatagramReceiver(std::size_t batch = 64, std::size_t capacity = kMaxDatagram);
  ~DatagramReceiver();
  DatagramReceiver(DatagramReceiver&&) noexcept;
  DatagramReceiver& operator=(DatagramReceiver&&) noexcept;

  struct Result {
    std::span<const ReceivedMessage> messages;
    int error = 0;  // errno of the call, EAGAIN when nothing was there; ECONNREFUSED etc. concern
                    // one peer, not the socket
  };
  Result receive(UdpSocket& socket);
  // Datagrams that the kernel dropped for lack of room on the sockets that were read, as last
  // reported (SO_RXQ_OVFL: with the first datagram that came after them).
  std::uint64_t kernel_drops() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace netkit
