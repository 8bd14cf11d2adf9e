// A UDP socket that is connected to a server whose name may have several addresses.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/net/endpoint.hpp>
#include <netkit/net/udp_socket.hpp>

namespace netkit::echo {

// [loop] `localhost` is ::1 and 127.0.0.1, and a server may listen on one of them only: where the
// first refuses, the next is tried.
class UdpTarget {
 public:
  using OnReadable = std::function<void()>;
  // Resolves `address` and connects to the first. Throws Error (68, 69).
  UdpTarget(EventLoop& loop, const AddressSpec& address, OnReadable on_readable);

  UdpSocket& socket() { return socket_; }
  const Endpoint& endpoint() const { return endpoints_[index_]; }
  // Connects to the next address; false when all have been tried since the first or start_over().
  bool use_next();
  void start_over() { tried_ = 1; }

 private:
  bool connect();

  EventLoop& loop_;
  OnReadable on_readable_;
  std::vector<Endpoint> endpoints_;
  std::size_t index_ = 0;
  std::size_t tried_ = 1;
  UdpSocket socket_;
  Watch watch_;
};

}  // namespace netkit::echo
