// Sockets that systemd, or who follows its protocol (sd_listen_fds(3)), passed to this process.
#pragma once

#include <vector>

#include <netkit/net/udp_socket.hpp>
#include <netkit/util/file.hpp>

namespace netkit {

struct PassedSockets {
  std::vector<UdpSocket> udp;
  std::vector<FileDescriptor> tcp;  // listening, non-blocking
};

// Takes the UDP sockets and the listening TCP sockets among them, as asked for, closes the others,
// and unsets LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES, so that no child takes them for its own.
// Nothing when LISTEN_PID is another process. Throws SystemError. Only for set-up, while there is
// one thread.
PassedSockets take_passed_sockets(bool udp, bool tcp, const UdpOptions& options);

}  // namespace netkit
