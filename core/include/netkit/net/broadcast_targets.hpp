// Where a datagram to a broadcast or multicast address has to go, so that every network that this
// machine is attached to gets it.
#pragma once

#include <span>
#include <vector>

#include <netkit/net/datagram_sender.hpp>
#include <netkit/net/endpoint.hpp>
#include <netkit/net/interfaces.hpp>
#include <netkit/net/ip_address.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// One datagram to send.
struct BroadcastTarget {
  Endpoint to;
  DatagramSource source;
};

// - 255.255.255.255: the broadcast address of every network of `interfaces`, so that it works
//   without a default route and reaches more than one network.
// - a multicast address without a zone: every interface of its family.
// - anything else, a directed broadcast address too: `address` itself, by the routing table.
// Interfaces that are down, cannot broadcast or multicast, or are loopback are left out; the result
// may be empty. Pure. Any thread.
NETKIT_API std::vector<BroadcastTarget> broadcast_targets(const Endpoint& address,
                                                          std::span<const Interface> interfaces);
// The same with the interfaces that a user chose out of `all`: these are used whatever they are, so
// that loopback takes its broadcast address 127.255.255.255, and a directed or unicast address
// leaves by each of them. With none chosen, and no network found (a machine with loopback only),
// the routing table decides.
NETKIT_API std::vector<BroadcastTarget> broadcast_targets(const Endpoint& address,
                                                          std::span<const Interface> all,
                                                          std::span<const Interface> chosen);

}  // namespace netkit
