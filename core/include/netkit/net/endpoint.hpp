// An IP address and a port: where a datagram comes from and leaves by, where a stream goes to.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <netinet/in.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>

#include <netkit/net/ip_address.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// A sockaddr_in or sockaddr_in6 as the kernel wants it, 28 bytes, trivially copyable, so that
// batches of datagrams pass it to system calls without conversion. The default is 0.0.0.0:0. Any
// thread.
class NETKIT_API Endpoint {
 public:
  Endpoint() : storage_{.v6 = {}} { storage_.v4.sin_family = AF_INET; }
  Endpoint(const IpAddress& address, std::uint16_t port);
  // `size` as the kernel returned it; nothing for a family that is not IP.
  static std::optional<Endpoint> from_sockaddr(const sockaddr* address, socklen_t size);
  // Numeric `127.0.0.1:80`, `[::1]:80`, `[fe80::1%eth0]:80` only; nothing for anything else. Never
  // asks DNS. (AddressSpec reads what people type.)
  static std::optional<Endpoint> parse(std::string_view text);
  // Peers without an address: the n-th of a unix socket, and the other end of a serial line. They
  // have a text, `unix:7` and `serial`, and differ from all others; they are not for system
  // calls.
  static Endpoint unix_peer(std::uint16_t number);
  static Endpoint serial_peer();

  IpAddress address() const;
  std::uint16_t port() const;
  Endpoint with_port(std::uint16_t port) const;
  bool is_v4() const { return storage_.v4.sin_family == AF_INET; }
  sa_family_t family() const { return storage_.v4.sin_family; }

  const sockaddr* data() const { return &storage_.any; }
  sockaddr* data() { return &storage_.any; }  // for the kernel to fill; capacity() bytes
  socklen_t size() const { return is_v4() ? sizeof(sockaddr_in) : sizeof(sockaddr_in6); }
  static constexpr socklen_t capacity() { return sizeof(sockaddr_in6); }

  // `127.0.0.1:80`, `[::1]:80`, `[fe80::1%eth0]:80`, `unix:7`, `serial`.
  std::string to_string() const;
  void append_to(std::string& out) const;  // the same without a temporary; for hot paths

  std::size_t hash()
      const;  // mixes all bits; not keyed, so tables that peers fill must bound their size
  friend NETKIT_API bool operator==(const Endpoint& a, const Endpoint& b);
  friend NETKIT_API std::strong_ordering operator<=>(const Endpoint& a, const Endpoint& b);

 private:
  union Storage {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
  } storage_;
};

// Which address and interface a datagram leaves by (IP_PKTINFO), e.g. to answer from the address
// that was asked. The routing table decides what is not given.
struct DatagramSource {
  IpAddress address;
  unsigned interface_index = 0;
  explicit operator bool() const { return interface_index != 0 || !address.is_unspecified(); }
  friend bool operator==(const DatagramSource&, const DatagramSource&) = default;
};

}  // namespace netkit

template <>
struct std::hash<netkit::Endpoint> {
  std::size_t operator()(const netkit::Endpoint& endpoint) const noexcept {
    return endpoint.hash();
  }
};
