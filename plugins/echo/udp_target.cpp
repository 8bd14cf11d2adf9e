#include <echo/udp_target.hpp>
#include <utility>

#include <netkit/net/resolver.hpp>

namespace netkit::echo {

UdpTarget::UdpTarget(EventLoop& loop, const AddressSpec& address, OnReadable on_readable)
    : loop_(loop), on_readable_(std::move(on_readable)), addresses_(resolve(address)) {
  use(addresses_.connect());
}

void UdpTarget::use(UdpSocket socket) {
  watch_.reset();
  socket_ = std::move(socket);
  watch_ = loop_.watch(socket_.fd(), Interest::read, [this](Ready) { on_readable_(); });
}

bool UdpTarget::use_next() {
  auto next = addresses_.connect_next();
  if (!next) return false;
  use(*std::move(next));
  return true;
}

}  // namespace netkit::echo
