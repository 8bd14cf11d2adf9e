// ICMP errors of a socket that has many peers.
#pragma once

#include <functional>

#include <netkit/net/endpoint.hpp>
#include <netkit/net/udp_socket.hpp>

namespace netkit {

// Makes the kernel keep the ICMP errors of what the socket sends (IP_RECVERR, IPV6_RECVERR), with
// the address that each is about.
void report_unreachable(const UdpSocket& socket);

// Reads all that are there and calls back with those who said that their port is closed. The errors
// that others' datagrams met are dropped.
void read_unreachable(const UdpSocket& socket,
                      const std::function<void(const Endpoint& to)>& callback);

}  // namespace netkit
