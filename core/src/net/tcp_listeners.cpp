#include <netkit/net/server_sockets.hpp>
#include <netkit/net/tcp_listeners.hpp>
#include <netkit/util/error.hpp>

namespace netkit {

TcpListeners::TcpListeners(EventLoop& loop, Log& log, const AddressSpec& address,
                           const TcpListener::OnAccept& on_accept) {
  ServerSocketOptions options;
  options.tcp = true;
  ServerSockets sockets = open_server_sockets(address, options);
  descriptions_ = sockets.descriptions();
  for (FileDescriptor& socket : sockets.tcp) {
    listeners_.push_back(std::make_unique<TcpListener>(
        loop, std::move(socket), on_accept,
        [&log](int error) { log.notice("cannot accept a connection: " + error_text(error)); }));
  }
}

void TcpListeners::close() {
  for (const auto& listener : listeners_) listener->close();
}

}  // namespace netkit
