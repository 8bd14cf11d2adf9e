// Batched sending of datagrams: what one turn of the loop has to say goes out with as few system
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
  std::uint64_t no_room = 0;  // ENOBUFS, or dropped after would-block by the caller's choice
  std::uint64_t too_big = 0;  // EMSGSIZE
};

// Queues datagrams by reference (the bytes must stay until flush() has returned 0 left) and sends
// them by sendmmsg; consecutive datagrams to one peer that have one size (the last may be shorter)
// go out together by UDP_SEGMENT, up to 64 and 64 KiB at a time. With `group`, datagrams of one
// flush are first brought together by peer, the order for each peer kept. One message stays one
// datagram. [one thread] Allocates only while its arrays grow.
class NETKIT_API DatagramSender {
 public:
  struct Options {
    bool group = false;
    std::size_t max_queue = 4096;  // datagrams; add() flushes when it is full
  };
  DatagramSender();
  explicit DatagramSender(const Options& options);
  ~DatagramSender();
  DatagramSender(DatagramSender&&) noexcept;

  // One datagram made of `head` then `body` (either may be empty). `source` and `interface_index`,
  // where given, choose the address and interface it leaves by (IP_PKTINFO), e.g. to answer from
  // the address that was asked.
  void add(const Endpoint& to, std::string_view head, std::string_view body = {});
  void add_from(const Endpoint& to, std::string_view data, const IpAddress& source,
                unsigned interface_index);
  // `data` is several datagrams of `segment_size` bytes each (the last may be shorter), as a
  // super-packet arrived; sent by UDP_SEGMENT where the kernel takes it, one by one where it does
  // not.
  void add_segments(const Endpoint& to, std::string_view data, std::size_t segment_size);

  // Called for every datagram that the kernel refused, with the errno; counted already. May be
  // empty.
  using OnRefused = std::function<void(const Endpoint& to, int error)>;
  void on_refused(OnRefused callback);

  // Sends what is queued. Returns how many are left because the socket would block; call again when
  // it is writable, or drop_queued(). A refusal never stops the others.
  std::size_t flush(UdpSocket& socket);
  void drop_queued();  // counts them as no_room
  std::size_t queued() const;
  const DatagramSenderCounters& counters() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace netkit
