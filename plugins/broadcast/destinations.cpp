#include <broadcast/destinations.hpp>

namespace netkit::broadcast {

namespace {

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

std::vector<BroadcastTarget> destinations(const Endpoint& address, std::span<const Interface> all,
                                          std::span<const Interface> chosen) {
  const IpAddress to = address.address();
  if (chosen.empty()) {
    std::vector<BroadcastTarget> targets = broadcast_targets(address, all);
    if (targets.empty()) targets.push_back({address, {}});
    return targets;
  }
  if (is_spread(to)) {
    std::vector<Interface> networks;
    for (const Interface& interface : chosen) networks.push_back(as_network(interface));
    return broadcast_targets(address, networks);
  }
  std::vector<BroadcastTarget> targets;
  for (const Interface& interface : chosen) {
    targets.push_back({address, {IpAddress::any(to.family()), interface.index}});
  }
  return targets;
}

}  // namespace netkit::broadcast
