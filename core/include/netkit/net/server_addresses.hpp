// The addresses of a server that is spoken to by UDP.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include <netkit/net/endpoint.hpp>
#include <netkit/net/udp_socket.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// `localhost` is ::1 and 127.0.0.1, and a server may listen on one of them only: as long as none
// has answered, the next is tried where one refuses or there is no way to it. [one thread at a
// time]
class NETKIT_API ServerAddresses {
 public:
  // What resolve() gave: at least one.
  explicit ServerAddresses(std::vector<Endpoint> endpoints) : endpoints_(std::move(endpoints)) {}
  // The address and port that sockets are bound to: the one of the server's family is taken, and a
  // server of another family cannot be reached.
  void bind_to(std::vector<Endpoint> locals) { locals_ = std::move(locals); }

  const Endpoint& current() const { return endpoints_[index_]; }
  // A socket connected to current(), or to the next that there is a way to. Throws SystemError.
  UdpSocket connect(const UdpOptions& options = {});
  // One connected to the next that there is a way to, which is current() then; none when all have
  // been tried since the first or start_over().
  std::optional<UdpSocket> connect_next(const UdpOptions& options = {});
  void start_over() { tried_ = 1; }

 private:
  UdpSocket make_socket(const UdpOptions& options) const;
  UdpSocket connect_to_current(const UdpOptions& options) const;

  std::vector<Endpoint> endpoints_;
  std::vector<Endpoint> locals_;  // empty: the system chooses
  std::size_t index_ = 0;
  std::size_t tried_ = 1;
};

// For a socket that is not connected, which no refusal reaches: the first of the addresses that
// there is a way to; the first of all where there is none.
NETKIT_API Endpoint first_routable(const std::vector<Endpoint>& endpoints);

}  // namespace netkit
