// The sockets of a server, as specified by its ADDRESS.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/net/address_spec.hpp>
#include <netkit/net/endpoint.hpp>
#include <netkit/net/udp_socket.hpp>
#include <netkit/util/export.hpp>
#include <netkit/util/file.hpp>

namespace netkit {

struct ServerSocketOptions {
  bool udp = false;
  bool tcp = false;
  UdpOptions udp_options{};
  // For the loops of one process, each with its own sockets. `further`: of those after the first,
  // which has made sure that no other process has the port.
  bool reuse_port = false;
  bool further = false;
};

struct NETKIT_API ServerSockets {
  std::vector<UdpSocket> udp;
  std::vector<FileDescriptor> tcp;  // listening
  // One line a socket, UDP first: `udp 127.0.0.1:9000`, `tcp [::]:9000`, with the real port.
  std::vector<std::string> descriptions() const;
};

// Binds everything that `spec` means, or throws (SystemError 69, Error 68) with nothing left open.
// `:PORT` gives 0.0.0.0 and [::] as two sockets each (only the family the system has, where it has
// one). With port 0 a free port is taken that is the same for all of them. Sockets that systemd
// passed (LISTEN_FDS, LISTEN_PID) are used instead where their kind fits; they are marked
// close-on-exec and the variables are unset. With `reuse_port` that is a UsageError.
NETKIT_API ServerSockets open_server_sockets(const AddressSpec& spec,
                                             const ServerSocketOptions& options);

// A bound, listening, non-blocking socket. SO_REUSEADDR is set (TIME_WAIT only; another listener
// still gets EADDRINUSE). Throws SystemError: "cannot bind tcp [::1]:80: address already in use"
// (69).
NETKIT_API FileDescriptor listen_tcp(const Endpoint& local, bool reuse_port = false,
                                     int backlog = 4096);
NETKIT_API Endpoint local_endpoint(int fd);  // throws SystemError

// How every server reports that it has no room: `full: 100 members (--max-members)`.
NETKIT_API std::string full_text(std::size_t most, std::string_view what, std::string_view option);
// And that the peer's address has its share already: `its address has 75 of 100 places
// (--max-members)`.
NETKIT_API std::string share_text(std::size_t share, std::size_t most, std::string_view option);

}  // namespace netkit
