// A server's connections other than TCP.
#pragma once

#include "net/tcp_listener.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <netkit/net/address_spec.hpp>

namespace netkit {

class TcpServer;

// [loop] Gives its connections to the server, which outlives it.
class OtherListener {
 public:
  // Binds or opens what `address` says, which is not TCP. Those of a unix socket come by
  // `on_accept`, all others by TcpServer::adopt(). Throws SystemError, Error.
  static std::unique_ptr<OtherListener> open(TcpServer& server, const AddressSpec& address,
                                             TcpListener::OnAccept on_accept,
                                             std::function<void(int error)> on_exhausted);
  virtual ~OtherListener() = default;
  virtual void close() = 0;  // no further connections
  virtual std::vector<std::string> descriptions() const = 0;
};

}  // namespace netkit
