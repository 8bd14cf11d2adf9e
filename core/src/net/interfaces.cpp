// getifaddrs() rather than Poco::Net::NetworkInterface: it names interfaces without an address as
// well, costs one netlink exchange, and does not load Poco's Net library into every command's
// start.
#include <algorithm>
#include <arpa/inet.h>
#include <bit>
#include <cerrno>
#include <ctime>
#include <ifaddrs.h>
#include <memory>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <utility>

// Need <sys/socket.h> before them.
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <netkit/net/endpoint.hpp>
#include <netkit/net/interfaces.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

std::optional<IpAddress> address_of(const sockaddr* address) {
  if (address == nullptr) return std::nullopt;
  const socklen_t size = address->sa_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  const auto endpoint = Endpoint::from_sockaddr(address, size);
  if (!endpoint) return std::nullopt;
  return endpoint->address();
}

unsigned count_ones(const IpAddress& mask) {
  unsigned ones = 0;
  for (const std::uint8_t byte : mask.bytes()) ones += static_cast<unsigned>(std::popcount(byte));
  return ones;
}

unsigned mtu_of(int fd, const std::string& name) {
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  return ::ioctl(fd, SIOCGIFMTU, &request) == 0 ? static_cast<unsigned>(request.ifr_mtu) : 0;
}

// An IPv4 address may have a label, `eth0:1`, which stands in the name's place.
std::string_view name_of(const ifaddrs& entry) {
  const std::string_view label = entry.ifa_name;
  return label.substr(0, label.find(':'));
}

Interface make_interface(const ifaddrs& entry, int fd) {
  Interface made;
  made.name = name_of(entry);
  made.index = ::if_nametoindex(made.name.c_str());
  const bool running = (entry.ifa_flags & IFF_RUNNING) != 0;
  made.up = (entry.ifa_flags & IFF_UP) != 0 && running;
  made.loopback = (entry.ifa_flags & IFF_LOOPBACK) != 0;
  made.can_broadcast = (entry.ifa_flags & IFF_BROADCAST) != 0;
  made.can_multicast = (entry.ifa_flags & IFF_MULTICAST) != 0;
  made.mtu = mtu_of(fd, made.name);
  return made;
}

void add_address(Interface& interface, const ifaddrs& entry) {
  const auto address = address_of(entry.ifa_addr);
  if (!address) return;
  InterfaceAddress added;
  added.address = *address;
  if (const auto mask = address_of(entry.ifa_netmask)) {
    added.prefix_length = count_ones(*mask);
  } else {
    added.prefix_length = address->is_v4() ? 32 : 128;
  }
  // On a point-to-point link the same field holds the other end's address.
  if (interface.can_broadcast && address->is_v4()) {
    added.broadcast = broadcast_of(*address, added.prefix_length, address_of(entry.ifa_broadaddr));
  }
  interface.addresses.push_back(added);
}

std::int64_t monotonic_second() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return now.tv_sec;
}

bool contains(const std::vector<IpAddress>& addresses, const IpAddress& address) {
  return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
}

void add_broadcasts(const Interface& interface, std::uint16_t port,
                    std::vector<BroadcastTarget>& targets) {
  if (!interface.can_broadcast) return;
  for (const InterfaceAddress& own : interface.addresses) {
    if (!own.broadcast) continue;
    const BroadcastTarget target{Endpoint(*own.broadcast, port), {own.address, interface.index}};
    const bool known = std::any_of(targets.begin(), targets.end(), [&](const auto& other) {
      return other.to == target.to && other.source.interface_index == target.source.interface_index;
    });
    if (!known) targets.push_back(target);
  }
}

void add_multicast(const Interface& interface, const Endpoint& group,
                   std::vector<BroadcastTarget>& targets) {
  if (!interface.can_multicast) return;
  const IpAddress address = group.address();
  for (const InterfaceAddress& own : interface.addresses) {
    if (own.address.family() != address.family()) continue;
    if (address.is_v4()) {
      targets.push_back({group, {own.address, interface.index}});
    } else {
      // The zone names the interface; which of its addresses is the source is the system's choice.
      const IpAddress zoned = IpAddress::v6(address.bytes(), interface.index);
      targets.push_back({Endpoint(zoned, group.port()),
                         {IpAddress::any(IpAddress::Family::v6), interface.index}});
    }
    return;
  }
}

// Makes loopback look like any other network: it takes part when it was asked for by name.
Interface as_network(Interface interface) {
  if (!interface.loopback) return interface;
  interface.loopback = false;
  interface.can_broadcast = true;
  interface.can_multicast = true;
  for (InterfaceAddress& own : interface.addresses) {
    if (own.address.is_v4()) own.broadcast = IpAddress::parse("127.255.255.255");
  }
  return interface;
}

bool is_spread(const IpAddress& address) {
  return address.is_limited_broadcast() || (address.is_multicast() && address.scope_id() == 0);
}

}  // namespace

std::optional<IpAddress> broadcast_of(const IpAddress& address, unsigned prefix_length,
                                      const std::optional<IpAddress>& reported) {
  if (!address.is_v4()) return std::nullopt;
  if (reported && *reported != address && !reported->is_unspecified()) return reported;
  constexpr unsigned kLongest = 30;  // RFC 3021: a link of two has none
  if (prefix_length > kLongest) return std::nullopt;
  const std::uint32_t host_bits = UINT32_MAX >> prefix_length;
  return IpAddress::v4(htonl(ntohl(address.v4_network_order()) | host_bits));
}

std::vector<Interface> interfaces() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) throw SystemError(errno, "cannot list the network interfaces");
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, &::freeifaddrs);
  const FileDescriptor fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

  std::vector<Interface> found;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    const auto same_name = [&](const Interface& known) { return known.name == name_of(*entry); };
    auto known = std::find_if(found.begin(), found.end(), same_name);
    if (known == found.end()) {
      Interface made = make_interface(*entry, fd.get());
      if (made.index == 0) continue;  // it went away meanwhile
      known = found.insert(found.end(), std::move(made));
    }
    add_address(*known, *entry);
  }
  std::sort(found.begin(), found.end(),
            [](const Interface& a, const Interface& b) { return a.index < b.index; });
  return found;
}

Interface find_interface(std::string_view text) {
  const auto address = IpAddress::parse(text);
  const auto index = read_integer<unsigned>(text);
  std::vector<Interface> all = interfaces();
  const auto matches = [&](const Interface& interface) {
    if (interface.name == text || interface.index == index) return true;
    return address && std::any_of(interface.addresses.begin(), interface.addresses.end(),
                                  [&](const auto& own) { return own.address == *address; });
  };
  const auto found = std::find_if(all.begin(), all.end(), matches);
  if (found != all.end()) return *found;
  std::string names;
  for (const Interface& interface : all) names += (names.empty() ? "" : ", ") + interface.name;
  throw Error(ExitStatus::unreachable,
              "no interface '" + std::string(text) + "' (there are: " + names + ")");
}

std::string interface_name(unsigned index) {
  char name[IF_NAMESIZE];
  if (::if_indextoname(index, name) != nullptr) return name;
  return std::to_string(index);
}

InterfaceWatch::InterfaceWatch(EventLoop& loop, std::function<void()> on_change)
    : socket_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE)),
      on_change_(std::move(on_change)) {
  sockaddr_nl local{};
  local.nl_family = AF_NETLINK;
  local.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
  const auto* address = reinterpret_cast<const sockaddr*>(&local);
  if (!socket_ || ::bind(socket_.get(), address, sizeof local) != 0) return;
  watch_ = loop.watch(socket_.get(), Interest::read, [this](Ready) { on_ready(); });
}

// All that matters about the messages is that something has changed.
void InterfaceWatch::on_ready() {
  char message[4096];
  while (::recv(socket_.get(), message, sizeof message, 0) >= 0 || errno == ENOBUFS) continue;
  on_change_();
}

void LocalNetworks::refresh() {
  const std::int64_t second = monotonic_second();
  if (second == taken_at_) return;
  taken_at_ = second;
  std::vector<Interface> all;
  try {
    all = interfaces();
  } catch (const SystemError&) {
    return;  // out of descriptors or memory just now: what was true a second ago will do
  }
  own_.clear();
  broadcasts_.clear();
  attached_.clear();
  for (const Interface& interface : all) {
    for (const InterfaceAddress& entry : interface.addresses) {
      own_.push_back(entry.address);
      if (entry.broadcast) broadcasts_.push_back(*entry.broadcast);
      if (interface.up) attached_.emplace_back(entry.address, entry.prefix_length);
    }
  }
}

bool LocalNetworks::is_own(const IpAddress& address) {
  if (address.is_loopback()) return true;
  refresh();
  return contains(own_, address);
}

bool LocalNetworks::is_broadcast(const IpAddress& address) {
  if (address.is_limited_broadcast()) return true;
  if (address.is_v6()) return false;
  refresh();
  return contains(broadcasts_, address);
}

bool LocalNetworks::is_on_link(const IpAddress& address) {
  if (address.is_v6() && address.is_link_local()) return true;
  if (is_own(address)) return true;
  return std::any_of(attached_.begin(), attached_.end(),
                     [&](const Cidr& network) { return network.contains(address); });
}

bool LocalNetworks::reaches(const Endpoint& target, const Endpoint& local) {
  if (target.port() != local.port() || target.family() != local.family()) return false;
  // The kernel sends what goes to the unspecified address to loopback.
  IpAddress to = target.address();
  if (to.is_unspecified()) to = IpAddress::loopback(to.family());
  if (to == local.address()) return true;
  if (!local.address().is_unspecified()) return false;
  return to.is_multicast() || is_own(to) || is_broadcast(to);
}

NetworkView LocalNetworks::view() {
  return {[this](const IpAddress& address) { return is_own(address); },
          [this](const IpAddress& address) { return is_broadcast(address); },
          [this](const IpAddress& address) { return is_on_link(address); }};
}

std::vector<BroadcastTarget> broadcast_targets(const Endpoint& address,
                                               std::span<const Interface> interfaces) {
  const IpAddress to = address.address();
  const bool limited = to.is_limited_broadcast();
  if (!is_spread(to)) return {{address, {}}};
  std::vector<BroadcastTarget> targets;
  for (const Interface& interface : interfaces) {
    if (!interface.up || interface.loopback) continue;
    if (limited) {
      add_broadcasts(interface, address.port(), targets);
    } else {
      add_multicast(interface, address, targets);
    }
  }
  return targets;
}

std::vector<BroadcastTarget> broadcast_targets(const Endpoint& address,
                                               std::span<const Interface> all,
                                               std::span<const Interface> chosen) {
  const IpAddress to = address.address();
  std::vector<BroadcastTarget> targets;
  if (chosen.empty()) {
    targets = broadcast_targets(address, all);
    if (targets.empty()) targets.push_back({address, {}});
    return targets;
  }
  std::vector<Interface> named;  // each once
  for (const Interface& interface : chosen) {
    if (std::ranges::find(named, interface.index, &Interface::index) == named.end()) {
      named.push_back(as_network(interface));
    }
  }
  if (is_spread(to)) return broadcast_targets(address, named);
  for (const Interface& interface : named) {
    targets.push_back({address, {IpAddress::any(to.family()), interface.index}});
  }
  return targets;
}

}  // namespace netkit
