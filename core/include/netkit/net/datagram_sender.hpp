// Batched sending of datagrams: what accumulates in one turn of the loop is sent with as few system
// calls and as few passes through the kernel's stack as possible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include <netkit/net/endpoint.hpp>
#include <netkit/net/udp_socket.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

struct DatagramSenderCounters {
  std::uint64_t datagrams = 0;  // given to the kernel
  std::uint64_t bytes = 0;
  std::uint64_t system_calls = 0;
  std::uint64_t refused = 0;  // by an errno that concerns the peer: ECONNREFUSED, EINVAL (port 0),
                              // EACCES, ENETUNREACH, ...
  std::uint64_t no_room = 0;  // ENOBUFS, a full queue, or dropped after would-block by the caller
  std::uint64_t too_big = 0;  // EMSGSIZE
  std::uint64_t interrupted = 0;  // sends that met the error of an earlier one and were tried again

  NETKIT_API DatagramSenderCounters& operator+=(const DatagramSenderCounters& other);
};

// Queues datagrams by reference (the bytes must stay until flush() has returned 0 left) and sends
// them by sendmmsg; consecutive datagrams to one peer that have one size (the last may be shorter)
// go out together by UDP_SEGMENT, up to 64 and 65,507 bytes at a time. With `group`, datagrams of
// one flush are first brought together by peer, the order for each peer kept. One message stays one
// datagram. Segments that the way to the peer does not take (longer than its MTU, no checksum
// offload) are sent one by one. [one thread] Allocates only while its arrays grow.
class NETKIT_API DatagramSender {
 public:
  struct Options {
    bool group = false;
    // Datagrams (a super-packet counts as one). Callers flush when full() says so; what is added to
    // a full queue is dropped and counted as no_room.
    std::size_t max_queue = 4096;
    bool coalesce = true;  // false: each datagram is a message to the kernel; for load tests
  };
  DatagramSender();
  explicit DatagramSender(const Options& options);
  ~DatagramSender();
  DatagramSender(DatagramSender&&) noexcept;
  DatagramSender& operator=(DatagramSender&&) noexcept;

  // One datagram made of `head` then `body` (either may be empty). `ect`: the path may mark it
  // instead of dropping it (ECT(0) of RFC 3168); only for peers that react to marks.
  void add(const Endpoint& to, std::string_view head, std::string_view body = {},
           const DatagramSource& source = {}, bool ect = false);
  // `data` is several datagrams of `segment_size` bytes each (the last may be shorter), as a
  // super-packet arrived; sent by UDP_SEGMENT where the kernel takes it, one by one where it does
  // not. 0, or no less than there is, means one datagram.
  void add_segments(const Endpoint& to, std::string_view data, std::size_t segment_size,
                    const DatagramSource& source = {});
  // Called for every datagram that the kernel refused, with the errno; counted already. On a
  // connected socket also when a send meets the error of an earlier datagram (counted as
  // interrupted). May be empty. It must not call the sender.
  using OnRefused = std::function<void(const Endpoint& to, int error)>;
  void on_refused(OnRefused callback);

  // Sends what is queued; on a connected socket to its peer, whatever was added. Returns how many
  // datagrams are left because the socket would block; call again when it is writable, or
  // drop_queued(). A refusal never stops the others: an errno that may be the ICMP error of an
  // earlier datagram is met by one more try, a second one concerns this datagram. Port 0 is refused
  // (EINVAL) without asking the kernel.
  std::size_t flush(UdpSocket& socket);
  bool full() const;
  void drop_queued();          // counts them as no_room
  std::size_t queued() const;  // datagrams, those of super-packets counted one by one
  const DatagramSenderCounters& counters() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace netkit
