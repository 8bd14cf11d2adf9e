#include <algorithm>
#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include <netkit/net/address_spec.hpp>
#include <netkit/net/udp_client.hpp>
#include <netkit/util/error.hpp>

namespace netkit {
namespace {

std::vector<UdpSocket> only(UdpSocket socket) {
  std::vector<UdpSocket> sockets;
  sockets.push_back(std::move(socket));
  return sockets;
}

bool has_port(const std::vector<Endpoint>& sources) {
  return std::ranges::any_of(sources, [](const Endpoint& source) { return source.port() != 0; });
}

// Errors that say nothing about the server: no room on this side, or too long for the path.
bool is_own_trouble(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EMSGSIZE || error == ENOBUFS ||
         error == ENOMEM;
}

}  // namespace

UdpSocket ServerAddresses::connect_to_current(const UdpOptions& options) const {
  UdpSocket socket = make_socket(options);
  socket.connect(current());
  return socket;
}

UdpSocket ServerAddresses::make_socket(const UdpOptions& options) const {
  if (sources_.empty()) return UdpSocket(current().family(), options);
  for (const Endpoint& local : sources_) {
    if (local.family() == current().family()) return UdpSocket::bound(local, options);
  }
  throw SystemError(EAFNOSUPPORT, fmt::format("cannot reach {} from {}", current().to_string(),
                                              sources_.front().to_string()));
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

UdpClient::UdpClient(EventLoop& loop, const std::vector<AddressSpec>& servers, Handler& handler,
                     const Options& options)
    : UdpClient(loop, ServerAddresses(resolve(servers), servers.front().sources), handler,
                options) {}

UdpClient::UdpClient(EventLoop& loop, std::vector<Endpoint> addresses, Handler& handler,
                     const Options& options)
    : UdpClient(loop, ServerAddresses(std::move(addresses), options.sources), handler, options) {}

UdpClient::UdpClient(EventLoop& loop, ServerAddresses addresses, Handler& handler,
                     const Options& options)
    : UdpSockets(loop, only(addresses.connect(options.socket)), options),
      handler_(handler),
      addresses_(std::move(addresses)),
      socket_options_(options.socket),
      silence_(has_port(options.sources) ? kNever : options.silence),
      heard_at_(loop.now()) {}

void UdpClient::renew_if_silent() {
  if (silence_ == kNever || loop().now() - heard_at_ < silence_) return;
  heard_at_ = loop().now();
  try {
    replace(addresses_.connect_to_current(socket_options_));
  } catch (const SystemError&) {
    // There is no route at the moment; the old socket reports that.
  }
}

void UdpClient::start_over() {
  heard_ = false;
  addresses_.start_over();
}

int UdpClient::send_now(std::string_view datagram) {
  log_sending(peer(), datagram);
  const int error = first().socket.send(datagram).error;
  if (error != 0 && !is_own_trouble(error)) on_unreachable(peer(), error);
  return error;
}

void UdpClient::on_message(Port& /*port*/, const ReceivedMessage& message) {
  heard_ = true;
  heard_at_ = loop().now();
  ecn_ = message.ecn;
  for_each_datagram(message, [this](std::string_view datagram) { handler_.on_datagram(datagram); });
}

void UdpClient::on_unreachable(const Endpoint& /*to*/, int error) {
  if (!heard_) {
    if (auto next = addresses_.connect_next(socket_options_)) {
      replace(*std::move(next));
      heard_at_ = loop().now();
      return handler_.on_next_address(error);
    }
  }
  handler_.on_refused(error);
}

void UdpClient::on_not_sent(const Endpoint& to, int error) {
  // Of several that one flush could not send, the first may have led to another address already.
  if (to == peer() && !is_own_trouble(error)) on_unreachable(to, error);
}

}  // namespace netkit
