// Which datagrams one message becomes.
#pragma once

#include <span>
#include <vector>

#include <netkit/net/broadcast_targets.hpp>
#include <netkit/net/endpoint.hpp>
#include <netkit/net/interfaces.hpp>

namespace netkit::broadcast {

// The datagrams for `address`. With no interface `chosen` that is core's broadcast_targets over
// `all`; where that finds no network (a machine with loopback only), the routing table decides.
// What is chosen is used whatever it is: loopback takes its broadcast address 127.255.255.255, and
// a directed or unicast address leaves by each of them. Pure.
std::vector<BroadcastTarget> destinations(const Endpoint& address, std::span<const Interface> all,
                                          std::span<const Interface> chosen);

}  // namespace netkit::broadcast
