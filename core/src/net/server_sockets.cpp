#include "net/socket_error.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <netinet/in.h>
#include <optional>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include <netkit/net/address_spec.hpp>
#include <netkit/net/server_sockets.hpp>
#include <netkit/net/udp_socket.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

// A free port has to be free for every socket of the server. The kernel proposes one for the first;
// if that many are all taken elsewhere, hardly any is free.
constexpr int kPortAttempts = 100;

struct Wanted {
  bool udp;
  bool tcp;
};

std::uint16_t port_of(const ServerSockets& sockets) {
  if (!sockets.udp.empty()) return sockets.udp.front().local().port();
  return local_endpoint(sockets.tcp.front().get()).port();
}

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

// The same endpoints, with the port to take. Sockets that refuse to share it prove that no other
// process has it.
std::vector<Endpoint> unshared(std::vector<Endpoint> endpoints, ServerSocketOptions options,
                               const Wanted& wanted) {
  options.reuse_port = options.udp_options.reuse_port = false;
  const std::uint16_t port = port_of(bind_sockets(endpoints, options, wanted));
  for (Endpoint& endpoint : endpoints) endpoint = endpoint.with_port(port);
  return endpoints;
}

constexpr int kFirstPassed = 3;        // SD_LISTEN_FDS_START
constexpr long kMostPassed = 1 << 16;  // more is not a count but an accident

long read_variable(const char* name) {
  const char* const text = std::getenv(name);
  return text == nullptr ? -1 : read_integer<long>(text).value_or(-1);
}

int socket_option(int fd, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

bool is_internet_socket(int fd) {
  const int domain = socket_option(fd, SO_DOMAIN);
  return domain == AF_INET || domain == AF_INET6;
}

// Bound to every address: answers have to leave from the one that was asked.
bool is_wildcard(int fd) {
  return local_endpoint(fd).address().is_unspecified();
}

FileDescriptor prepared_listener(FileDescriptor fd) {
  const int flags = ::fcntl(fd.get(), F_GETFL);
  if (flags < 0 || ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) != 0) {
    throw SystemError(errno, "cannot use the inherited tcp socket");
  }
  return fd;
}

// Sockets that systemd, or a program with its protocol (sd_listen_fds(3)), passed to this process.
struct PassedSockets {
  std::vector<UdpSocket> udp;
  std::vector<FileDescriptor> tcp;  // listening, non-blocking
};

// Takes the UDP sockets and the listening TCP sockets among them, as asked for, closes the others,
// and unsets LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES, so that no child takes them for its own.
// Nothing when LISTEN_PID is another process. Throws SystemError. Only for set-up, while there is
// one thread.
PassedSockets take_passed_sockets(bool udp, bool tcp, const UdpOptions& options) {
  PassedSockets passed;
  const long count = read_variable("LISTEN_FDS");
  if (count <= 0 || count > kMostPassed || read_variable("LISTEN_PID") != ::getpid()) return passed;
  ::unsetenv("LISTEN_FDS");
  ::unsetenv("LISTEN_PID");
  ::unsetenv("LISTEN_FDNAMES");
  for (int number = kFirstPassed; number < kFirstPassed + static_cast<int>(count); ++number) {
    // Descriptors that came through exec(2) are not close-on-exec, those opened here are.
    const int flags = ::fcntl(number, F_GETFD);
    if (flags < 0 || (flags & FD_CLOEXEC) != 0) continue;
    ::fcntl(number, F_SETFD, FD_CLOEXEC);
    FileDescriptor fd(number);
    if (!is_internet_socket(number)) continue;
    const int type = socket_option(number, SO_TYPE);
    if (type == SOCK_DGRAM && udp) {
      UdpOptions own = options;
      own.packet_info |= is_wildcard(number);
      passed.udp.push_back(UdpSocket::adopt(std::move(fd), own));
    } else if (type == SOCK_STREAM && tcp && socket_option(number, SO_ACCEPTCONN) == 1) {
      passed.tcp.push_back(prepared_listener(std::move(fd)));
    }
  }
  return passed;
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
    throw UsageError("inherited sockets (LISTEN_FDS) serve a single thread: omit --threads");
  }
  const Wanted wanted{options.udp && passed.udp.empty(), options.tcp && passed.tcp.empty()};
  ServerSockets sockets;
  if (wanted.udp || wanted.tcp) {
    std::vector<Endpoint> endpoints = resolve(spec);
    if (options.reuse_port && !options.further) endpoints = unshared(endpoints, options, wanted);
    sockets = bind_sockets(endpoints, options, wanted);
  }
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

std::string share_text(std::size_t share, std::size_t most, std::string_view option) {
  return fmt::format("its address has {} of {} places ({})", share, most, option);
}

}  // namespace netkit
