#include "net/passed_sockets.hpp"
#include "net/socket_error.hpp"

#include <cerrno>
#include <netinet/in.h>
#include <optional>
#include <unistd.h>

#include <fmt/format.h>

#include <netkit/net/resolver.hpp>
#include <netkit/net/server_sockets.hpp>
#include <netkit/util/error.hpp>

namespace netkit {
namespace {

// A free port has to be free for every socket of the server. The kernel proposes one for the first;
// that all of so many are taken elsewhere means that hardly any is free.
constexpr int kPortAttempts = 100;

struct Wanted {
  bool udp;
  bool tcp;
};

// Binds the sockets of one attempt. With port 0 the first socket's port becomes everybody's.
class Binder {
 public:
  Binder(const ServerSocketOptions& options, const Wanted& wanted)
      : options_(options), wanted_(wanted) {
    options_.udp_options.reuse_port |= options_.reuse_port;
  }

  ServerSockets bind_all(const std::vector<Endpoint>& endpoints) {
    // All UDP sockets come first, as in the lines that announce them.
    if (wanted_.udp) bind_each(endpoints, [this](const Endpoint& local) { bind_udp(local); });
    if (wanted_.tcp) bind_each(endpoints, [this](const Endpoint& local) { bind_tcp(local); });
    return std::move(sockets_);
  }

 private:
  template <typename Bind>
  void bind_each(const std::vector<Endpoint>& endpoints, Bind&& bind) {
    std::optional<SystemError> missing;
    bool any = false;
    for (const Endpoint& endpoint : endpoints) {
      try {
        bind(port_ == 0 ? endpoint : endpoint.with_port(port_));
        any = true;
      } catch (const SystemError& error) {
        // A name may have addresses of a family that this machine does without.
        if (error.error_number() != EAFNOSUPPORT && error.error_number() != EADDRNOTAVAIL) throw;
        if (!missing) missing = error;
      }
    }
    if (!any && missing) throw SystemError(*missing);
  }

  void bind_udp(const Endpoint& local) {
    sockets_.udp.push_back(UdpSocket::bound(local, options_.udp_options));
    if (port_ == 0) port_ = sockets_.udp.back().local().port();
  }

  void bind_tcp(const Endpoint& local) {
    sockets_.tcp.push_back(listen_tcp(local, options_.reuse_port));
    if (port_ == 0) port_ = local_endpoint(sockets_.tcp.back().get()).port();
  }

  ServerSocketOptions options_;
  Wanted wanted_;
  ServerSockets sockets_;
  std::uint16_t port_ = 0;
};

ServerSockets bind_sockets(const std::vector<Endpoint>& endpoints,
                           const ServerSocketOptions& options, const Wanted& wanted) {
  const bool any_port = !endpoints.empty() && endpoints.front().port() == 0;
  for (int attempt = 1;; ++attempt) {
    try {
      return Binder(options, wanted).bind_all(endpoints);
    } catch (const SystemError& error) {
      const bool taken = error.error_number() == EADDRINUSE;
      if (!any_port || !taken || attempt == kPortAttempts) throw;
    }
  }
}

}  // namespace

std::vector<std::string> ServerSockets::descriptions() const {
  std::vector<std::string> lines;
  for (const UdpSocket& socket : udp) lines.push_back("udp " + socket.local().to_string());
  for (const FileDescriptor& fd : tcp)
    lines.push_back("tcp " + local_endpoint(fd.get()).to_string());
  return lines;
}

ServerSockets open_server_sockets(const AddressSpec& spec, const ServerSocketOptions& options) {
  PassedSockets passed = take_passed_sockets(options.udp, options.tcp, options.udp_options);
  // The sockets of further loops would be bound beside these, and these are another user's.
  if (options.reuse_port && (!passed.udp.empty() || !passed.tcp.empty())) {
    throw UsageError("sockets that were passed (LISTEN_FDS) serve one loop: leave --threads out");
  }
  const Wanted wanted{options.udp && passed.udp.empty(), options.tcp && passed.tcp.empty()};
  ServerSockets sockets;
  if (wanted.udp || wanted.tcp) sockets = bind_sockets(resolve(spec), options, wanted);
  if (!passed.udp.empty()) sockets.udp = std::move(passed.udp);
  if (!passed.tcp.empty()) sockets.tcp = std::move(passed.tcp);
  return sockets;
}

FileDescriptor listen_tcp(const Endpoint& local, bool reuse_port, int backlog) {
  const auto refuse = [&local](int error) { throw bind_error(error, "tcp", local); };
  FileDescriptor fd(::socket(local.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) refuse(errno);
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (reuse_port) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (!local.is_v4()) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (::bind(fd.get(), local.data(), local.size()) != 0) refuse(errno);
  if (::listen(fd.get(), backlog) != 0) refuse(errno);
  return fd;
}

Endpoint local_endpoint(int fd) {
  Endpoint endpoint;
  socklen_t size = Endpoint::capacity();
  if (::getsockname(fd, endpoint.data(), &size) != 0)
    throw SystemError(errno, "cannot read a socket's address");
  return endpoint;
}

std::string full_text(std::size_t most, std::string_view what, std::string_view option) {
  return fmt::format("full: {} {}{} ({})", most, what, most == 1 ? "" : "s", option);
}

}  // namespace netkit
