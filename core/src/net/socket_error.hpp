// Why a socket is not bound or connected, the same for UDP and TCP.
#pragma once

#include <cerrno>
#include <string>

#include <netkit/net/endpoint.hpp>
#include <netkit/util/error.hpp>

namespace netkit {

// An address that no socket can have, such as a link-local one without its interface, is treated
// like one that this machine does not have.
inline ExitStatus socket_status(int error) {
  return error == EINVAL ? ExitStatus::unreachable : exit_status_of(error);
}

// `address`, and how to write it where what it lacks is its interface.
inline std::string refused_address(int error, const Endpoint& address) {
  const IpAddress ip = address.address();
  if (error != EINVAL || ip.is_v4() || ip.scope_id() != 0 ||
      !(ip.is_link_local() || ip.is_multicast())) {
    return address.to_string();
  }
  return address.to_string() + " without its interface (write [" + ip.to_string() +
         "%eth0]:" + std::to_string(address.port()) + ")";
}

// `protocol` is "udp" or "tcp".
inline SystemError bind_error(int error, const std::string& protocol, const Endpoint& local) {
  return {error, "cannot bind " + protocol + " " + refused_address(error, local),
          socket_status(error)};
}

}  // namespace netkit
