#include <frame/listening.hpp>

#include <netkit/net/server_sockets.hpp>
#include <netkit/util/error.hpp>

namespace netkit::frame {

Listening::Listening(Host& host, const AddressSpec& address,
                     const TcpListener::OnAccept& on_accept) {
  ServerSocketOptions options;
  options.tcp = true;
  ServerSockets sockets = open_server_sockets(address, options);
  descriptions_ = sockets.descriptions();
  for (FileDescriptor& socket : sockets.tcp) {
    listeners_.push_back(std::make_unique<TcpListener>(
        host.loop(), std::move(socket), on_accept, [&host](int error) {
          host.log().notice("cannot accept a connection: " + error_text(error));
        }));
  }
}

void Listening::close() {
  for (const auto& listener : listeners_) listener->close();
}

}  // namespace netkit::frame
