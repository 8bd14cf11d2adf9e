// Why a server's socket is not there, the same for UDP and TCP.
#pragma once

#include <cerrno>
#include <string>

#include <netkit/net/endpoint.hpp>
#include <netkit/util/error.hpp>

namespace netkit {

// `protocol` is "udp" or "tcp". An address that no socket can have, such as a link-local one
// without its interface, is as good as one that this machine has not.
inline SystemError bind_error(int error, const std::string& protocol, const Endpoint& local) {
  return {error, "cannot bind " + protocol + " " + local.to_string(),
          error == EINVAL ? ExitStatus::unreachable : exit_status_of(error)};
}

}  // namespace netkit
