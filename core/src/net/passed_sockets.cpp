#include "net/passed_sockets.hpp"

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <fcntl.h>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

#include <netkit/net/server_sockets.hpp>
#include <netkit/util/error.hpp>

namespace netkit {
namespace {

constexpr int kFirst = 3;        // SD_LISTEN_FDS_START
constexpr long kMost = 1 << 16;  // more is not a count but an accident

long read_variable(const char* name) {
  const char* const text = std::getenv(name);
  if (text == nullptr) return -1;
  const std::string_view digits(text);
  long value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return error == std::errc{} && end == digits.data() + digits.size() ? value : -1;
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
    throw SystemError(errno, "cannot use the tcp socket that was passed");
  }
  return fd;
}

}  // namespace

PassedSockets take_passed_sockets(bool udp, bool tcp, const UdpOptions& options) {
  PassedSockets passed;
  const long count = read_variable("LISTEN_FDS");
  if (count <= 0 || count > kMost || read_variable("LISTEN_PID") != ::getpid()) return passed;
  ::unsetenv("LISTEN_FDS");
  ::unsetenv("LISTEN_PID");
  ::unsetenv("LISTEN_FDNAMES");
  for (int number = kFirst; number < kFirst + static_cast<int>(count); ++number) {
    if (::fcntl(number, F_SETFD, FD_CLOEXEC) != 0) continue;  // not open
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

}  // namespace netkit
