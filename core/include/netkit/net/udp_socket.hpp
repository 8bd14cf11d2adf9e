// A UDP socket: set-up and options. Bulk reading and writing are in datagram_receiver.hpp and
// datagram_sender.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <netkit/net/endpoint.hpp>
#include <netkit/util/export.hpp>
#include <netkit/util/file.hpp>

namespace netkit {

// The outcome of one I/O call: bytes moved, or an errno (EAGAIN for would-block). Never an
// exception.
struct NETKIT_API IoResult {
  std::size_t count = 0;
  int error = 0;
  bool ok() const { return error == 0; }
  bool would_block() const;
};

struct UdpOptions {
  bool share_port =
      false;  // SO_REUSEADDR, as listeners of broadcasts need; never for unicast servers
  bool reuse_port = false;   // SO_REUSEPORT, for the loops of one process
  bool broadcast = false;    // SO_BROADCAST
  bool packet_info = false;  // report destination address and interface of what arrives
  // Hears the multicast groups that it has joined itself, not those of others on this machine.
  bool own_groups_only = false;
  bool gro = false;         // take coalesced packets (UDP_GRO)
  bool ecn = false;         // report the congestion marks of what arrives
  bool count_drops = true;  // SO_RXQ_OVFL
  // IPv4 datagrams that fit the path's MTU leave as atomic ones (RFC 6864: DF set, no number), for
  // which the kernel need not find a number by their address: cheaper with many peers. Longer ones
  // are EMSGSIZE until allow_fragments(); DatagramSender does that where it must.
  bool atomic = false;
  unsigned dscp = 0;  // of what is sent (RFC 2474), 0 to 63; 0 leaves the system's
  int receive_buffer =
      4 << 20;          // bytes; SO_RCVBUFFORCE where it may, else as much as the system allows
  int send_buffer = 0;  // bytes; 0 leaves the system's
};

// Non-blocking, close-on-exec; IPv6 sockets are IPV6_V6ONLY. [one thread at a time]
class NETKIT_API UdpSocket {
 public:
  UdpSocket() = default;
  // A socket of the family, not bound. Throws SystemError.
  UdpSocket(sa_family_t family, const UdpOptions& options = {});
  // Bound to `local`. Throws SystemError: "cannot bind udp 127.0.0.1:80: address already in use"
  // (69).
  static UdpSocket bound(const Endpoint& local, const UdpOptions& options = {});
  // Takes over a bound (or connected) socket, e.g. from systemd.
  static UdpSocket adopt(FileDescriptor fd, const UdpOptions& options = {});

  // Has the marks of RFC 3168 reported, as `ecn` does, where the kernel can.
  void report_ecn();
  // Has the destination address and interface of what arrives reported, as `packet_info` does.
  void report_destinations();          // throws SystemError
  void connect(const Endpoint& peer);  // throws SystemError; afterwards ICMP errors come as errnos
                                       // of send and receive
  Endpoint local() const;              // throws SystemError
  int fd() const { return fd_.get(); }
  explicit operator bool() const { return static_cast<bool>(fd_); }
  bool connected() const { return connected_; }
  // Whether the kernel knows UDP_SEGMENT (Linux 4.18): asked once, when the socket is made.
  bool can_segment() const { return can_segment_; }
  bool atomic() const { return atomic_; }
  void allow_fragments(bool on);  // of an atomic() socket

  IoResult send(std::string_view data);                         // connected
  IoResult send_to(std::string_view data, const Endpoint& to);  // not connected
  // One datagram into `buffer`; `from` may be null. count is the datagram's size, which may exceed
  // the buffer's.
  IoResult receive(char* buffer, std::size_t capacity, Endpoint* from);
  // The path MTU to the connected peer after EMSGSIZE (IP_MTU), 0 when unknown.
  unsigned path_mtu() const;

  // Makes the kernel keep the ICMP errors of what an unconnected socket sends (IP_RECVERR), with
  // the address that each is about.
  void report_unreachable();
  // Reads all pending errors and calls back with the peers whose port is closed. The errors that
  // others' datagrams met are dropped.
  void read_unreachable(const std::function<void(const Endpoint& to)>& callback);

  void set_ttl(unsigned hops);  // unicast; throws SystemError, like the following
  void set_multicast_ttl(unsigned hops);
  void set_multicast_loop(bool on);
  void set_multicast_interface(unsigned index);
  // Joins `group` on the interface (0: the system's choice), from `source` only where given (RFC
  // 3376, 3810).
  void join_group(const IpAddress& group, unsigned interface_index,
                  const std::optional<IpAddress>& source = std::nullopt);
  void bind_to_device(std::string_view interface);  // SO_BINDTODEVICE

 private:
  void apply(const UdpOptions& options);
  FileDescriptor fd_;
  sa_family_t family_ = AF_INET;
  bool connected_ = false;
  bool can_segment_ = false;
  bool atomic_ = false;
};

}  // namespace netkit
