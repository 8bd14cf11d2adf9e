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

}  // namespace

std::vector<BroadcastTarget> broadcast_targets(const Endpoint& address,
                                               std::span<const Interface> interfaces) {
  const IpAddress to = address.address();
  const bool limited = to.is_limited_broadcast();
  if (!limited && (!to.is_multicast() || to.scope_id() != 0)) return {{address, {}}};
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

}  // namespace netkit
