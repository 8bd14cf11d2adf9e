// The sockets of `frame serve` and `frame proxy`.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <netkit/net/address_spec.hpp>
#include <netkit/net/tcp_listener.hpp>
#include <netkit/plugin/host.hpp>

namespace netkit::frame {

// [loop] Listens on everything that an ADDRESS means. A lack of descriptors is said in
// the log and survived.
class Listening {
 public:
  // Binds; throws SystemError, Error.
  Listening(Host& host, const AddressSpec& address, const TcpListener::OnAccept& on_accept);

  // What Host::ready() is to be told: `tcp 127.0.0.1:9089`, a line a socket.
  const std::vector<std::string>& descriptions() const { return descriptions_; }
  void close();

 private:
  std::vector<std::unique_ptr<TcpListener>> listeners_;
  std::vector<std::string> descriptions_;
};

}  // namespace netkit::frame
