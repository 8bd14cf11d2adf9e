// The listening sockets of a server whose connections are all treated alike.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <netkit/net/address_spec.hpp>
#include <netkit/net/tcp_listener.hpp>
#include <netkit/util/export.hpp>
#include <netkit/util/log.hpp>

namespace netkit {

// [loop] Listens on everything that an ADDRESS means. A lack of descriptors is said in the log and
// survived.
class NETKIT_API TcpListeners {
 public:
  // Binds as open_server_sockets() does, and throws what it throws. `loop` and `log` must outlive
  // this.
  TcpListeners(EventLoop& loop, Log& log, const AddressSpec& address,
               const TcpListener::OnAccept& on_accept);

  // What Host::ready() is to be told: `tcp 127.0.0.1:9089`, a line a socket.
  const std::vector<std::string>& descriptions() const { return descriptions_; }
  // No more connections are taken.
  void close();

 private:
  std::vector<std::unique_ptr<TcpListener>> listeners_;
  std::vector<std::string> descriptions_;
};

}  // namespace netkit
