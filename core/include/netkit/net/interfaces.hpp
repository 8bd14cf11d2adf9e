// The machine's network interfaces and their networks, and where a datagram to a broadcast or
// multicast address has to go, so that every network that this machine is attached to gets it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/endpoint.hpp>
#include <netkit/net/ip_address.hpp>
#include <netkit/util/export.hpp>
#include <netkit/util/file.hpp>

namespace netkit {

// What follows "'10.0.0.1' is not " in messages.
inline constexpr std::string_view kMulticastForm =
    "a multicast address (224.0.0.0 to 239.255.255.255, or ff00::/8)";

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

// The broadcast address of an IPv4 address's network, on an interface that can broadcast: the one
// the system reports, unless that is the address itself, as when none is set; then it is the last
// address of the network. None for a network of one or two addresses. Pure. Any
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

// [loop] Calls back after interfaces or their addresses have appeared, gone or changed; never if
// the kernel does not report that.
class NETKIT_API InterfaceWatch {
 public:
  InterfaceWatch(EventLoop& loop, std::function<void()> on_change);

 private:
  void on_ready();

  FileDescriptor socket_;
  std::function<void()> on_change_;
  Watch watch_;
};

// The machine's networks: LocalNetworks::view() in a program, or what a test
// provides.
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
  // Whether what is sent to `target` comes to a socket that is bound to `local`.
  bool reaches(const Endpoint& target, const Endpoint& local);

 private:
  void refresh();
  std::vector<IpAddress> own_;
  std::vector<IpAddress> broadcasts_;
  std::vector<Cidr> attached_;
  std::int64_t taken_at_ = -1;  // seconds of the monotonic clock
};

// One datagram to send.
struct BroadcastTarget {
  Endpoint to;
  DatagramSource source;
  friend bool operator==(const BroadcastTarget&, const BroadcastTarget&) = default;
};

// - 255.255.255.255: the broadcast address of every network of `interfaces`, once where an
//   interface has several addresses in it, so that it works without a default route and reaches
//   more than one network.
// - a multicast address without a zone: every interface of its family.
// - anything else, a directed broadcast address too: `address` itself, by the routing table.
// Interfaces that are down, cannot broadcast or multicast, or are loopback are left out; the result
// may be empty. Pure. Any thread.
NETKIT_API std::vector<BroadcastTarget> broadcast_targets(const Endpoint& address,
                                                          std::span<const Interface> interfaces);
// The same for the interfaces in `all` that the user chose. Each is used once, whatever its kind:
// loopback with its broadcast address 127.255.255.255, and a directed or unicast address by each of
// them. If none is chosen and no network is found (a machine with loopback only), the routing table
// decides.
NETKIT_API std::vector<BroadcastTarget> broadcast_targets(const Endpoint& address,
                                                          std::span<const Interface> all,
                                                          std::span<const Interface> chosen);

}  // namespace netkit
