// A UDP socket that is connected to a server whose name may have several addresses.
#pragma once

#include <functional>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/net/endpoint.hpp>
#include <netkit/net/server_addresses.hpp>
#include <netkit/net/udp_socket.hpp>

namespace netkit::echo {

// [loop]
class UdpTarget {
 public:
  using OnReadable = std::function<void()>;
  // Resolves `address` and connects to the first that there is a way to. Throws Error (68, 69).
  UdpTarget(EventLoop& loop, const AddressSpec& address, OnReadable on_readable);

  UdpSocket& socket() { return socket_; }
  const Endpoint& endpoint() const { return addresses_.current(); }
  // Connects to the next address; false when all have been tried since the first or start_over().
  bool use_next();
  void start_over() { addresses_.start_over(); }

 private:
  void use(UdpSocket socket);

  EventLoop& loop_;
  OnReadable on_readable_;
  ServerAddresses addresses_;
  UdpSocket socket_;
  Watch watch_;
};

}  // namespace netkit::echo
