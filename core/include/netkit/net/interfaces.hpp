// The machine's network interfaces.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/net/ip_address.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

struct InterfaceAddress {
  IpAddress address;
  unsigned prefix_length = 0;
  std::optional<IpAddress> broadcast;  // IPv4 only
};

struct Interface {
  unsigned index = 0;
  std::string name;
  bool up = false;
  bool loopback = false;
  bool can_broadcast = false;
  bool can_multicast = false;
  unsigned mtu = 0;
  std::vector<InterfaceAddress> addresses;
};

// The broadcast address of an IPv4 address's network, on an interface that can broadcast. What the
// system reports is taken where it is one: where none is set it reports the address itself, and
// then the network's last address counts. None for a network of one or two addresses. Pure. Any
// thread.
NETKIT_API std::optional<IpAddress> broadcast_of(const IpAddress& address, unsigned prefix_length,
                                                 const std::optional<IpAddress>& reported);
// All interfaces, by index. Throws SystemError. Any thread.
NETKIT_API std::vector<Interface> interfaces();
// By name, by index in decimal, or by one of its addresses. Throws Error with
// ExitStatus::unreachable that lists the names there are.
NETKIT_API Interface find_interface(std::string_view text);
// The name of an interface, or its number where it has gone.
NETKIT_API std::string interface_name(unsigned index);

// What the machine's networks are: LocalNetworks::view() in a program, whatever is wanted in a
// test.
struct NetworkView {
  std::function<bool(const IpAddress&)> is_own;
  std::function<bool(const IpAddress&)> is_broadcast;
  std::function<bool(const IpAddress&)> is_on_link;
};

// Whether addresses are this machine's own or on a network that it is attached to; a snapshot that
// is taken once a second at most, so that it may be asked per datagram. [one thread]
class NETKIT_API LocalNetworks {
 public:
  bool is_own(const IpAddress& address);  // loopback or an address of an interface
  bool is_broadcast(
      const IpAddress& address);  // limited, or the directed broadcast of an attached network
  bool is_on_link(
      const IpAddress& address);  // own, or in the prefix of an interface that is up; fe80::/10
  NetworkView view();             // refers to this object

 private:
  void refresh();
  std::vector<IpAddress> own_;
  std::vector<IpAddress> broadcasts_;
  std::vector<Cidr> attached_;
  std::int64_t taken_at_ = -1;  // seconds of the monotonic clock
};

}  // namespace netkit
