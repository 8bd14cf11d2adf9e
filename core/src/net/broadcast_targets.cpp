#include <netkit/net/broadcast_targets.hpp>

namespace netkit {
namespace {

void add_broadcasts(const Interface& interface, std::uint16_t port,
                    std::vector<BroadcastTarget>& targets) {
  if (!interface.can_broadcast) return;
  for (const InterfaceAddress& own : interface.addresses) {
    if (!own.broadcast) continue;
    targets.push_back({Endpoint(*own.broadcast, port), {own.address, interface.index}});
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
  } else if (is_spread(to)) {
    std::vector<Interface> networks;
    for (const Interface& interface : chosen) networks.push_back(as_network(interface));
    targets = broadcast_targets(address, networks);
  } else {
    for (const Interface& interface : chosen) {
      targets.push_back({address, {IpAddress::any(to.family()), interface.index}});
    }
  }
  return targets;
}

}  // namespace netkit
