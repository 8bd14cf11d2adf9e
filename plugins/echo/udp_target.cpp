#include <echo/udp_target.hpp>
#include <utility>

#include <netkit/net/resolver.hpp>
#include <netkit/util/error.hpp>

namespace netkit::echo {

UdpTarget::UdpTarget(EventLoop& loop, const AddressSpec& address, OnReadable on_readable)
    : loop_(loop), on_readable_(std::move(on_readable)), endpoints_(resolve(address)) {
  for (;;) {
    try {
      connect();
      return;
    } catch (const SystemError&) {  // no route to this family, perhaps
      if (tried_ == endpoints_.size()) throw;
      ++tried_;
      ++index_;
    }
  }
}

bool UdpTarget::connect() {
  watch_.reset();
  socket_ = UdpSocket(endpoint().family());
  socket_.connect(endpoint());
  watch_ = loop_.watch(socket_.fd(), Interest::read, [this](Ready) { on_readable_(); });
  return true;
}

bool UdpTarget::use_next() {
  while (tried_ < endpoints_.size()) {
    ++tried_;
    index_ = (index_ + 1) % endpoints_.size();
    try {
      return connect();
    } catch (const SystemError&) {
      continue;
    }
  }
  return false;
}

}  // namespace netkit::echo
