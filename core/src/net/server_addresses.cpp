#include <cerrno>

#include <fmt/format.h>

#include <netkit/net/server_addresses.hpp>
#include <netkit/util/error.hpp>

namespace netkit {

UdpSocket ServerAddresses::connect_to_current(const UdpOptions& options) const {
  UdpSocket socket = make_socket(options);
  socket.connect(current());
  return socket;
}

UdpSocket ServerAddresses::make_socket(const UdpOptions& options) const {
  if (locals_.empty()) return UdpSocket(current().family(), options);
  for (const Endpoint& local : locals_) {
    if (local.family() == current().family()) return UdpSocket::bound(local, options);
  }
  throw SystemError(EAFNOSUPPORT, fmt::format("cannot reach {} from {}", current().to_string(),
                                              locals_.front().to_string()));
}

UdpSocket ServerAddresses::connect(const UdpOptions& options) {
  try {
    return connect_to_current(options);
  } catch (const SystemError&) {
    if (auto other = connect_next(options)) return *std::move(other);
    throw;
  }
}

std::optional<UdpSocket> ServerAddresses::connect_next(const UdpOptions& options) {
  const std::size_t before = index_;
  while (tried_ < endpoints_.size()) {
    ++tried_;
    index_ = (index_ + 1) % endpoints_.size();
    try {
      return connect_to_current(options);
    } catch (const SystemError&) {
      continue;
    }
  }
  index_ = before;
  return std::nullopt;
}

Endpoint first_routable(const std::vector<Endpoint>& endpoints) {
  if (endpoints.size() == 1) return endpoints.front();
  ServerAddresses addresses(endpoints);
  try {
    UdpOptions options;
    options.broadcast = true;  // without it the kernel refuses a broadcast address
    options.receive_buffer = 0;
    addresses.connect(options);
    return addresses.current();
  } catch (const SystemError&) {
    return endpoints.front();
  }
}

}  // namespace netkit
