#include "net/unix_socket.hpp"

#include <cerrno>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fmt/format.h>

#include <netkit/util/error.hpp>

namespace netkit {
namespace {

// The path fits: the command line has checked it.
sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

// 0 or an errno.
int connect_to(int fd, const std::string& path) {
  const sockaddr_un address = address_of(path);
  const auto* any = reinterpret_cast<const sockaddr*>(&address);
  return ::connect(fd, any, sizeof address) == 0 ? 0 : errno;
}

int bind_to(int fd, const std::string& path) {
  const sockaddr_un address = address_of(path);
  const auto* any = reinterpret_cast<const sockaddr*>(&address);
  return ::bind(fd, any, sizeof address) == 0 ? 0 : errno;
}

FileDescriptor make_socket() {
  FileDescriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) throw SystemError(errno, "cannot create a unix socket");
  return fd;
}

[[noreturn]] void refuse(std::string_view what, const std::string& path, int error) {
  throw SystemError(
      error, fmt::format("{} unix {}", what, path),
      error == EACCES || error == EPERM ? ExitStatus::permission : ExitStatus::unreachable);
}

bool is_left_behind(const std::string& path) {
  struct stat found = {};
  if (::lstat(path.c_str(), &found) != 0 || !S_ISSOCK(found.st_mode)) return false;
  return connect_to(make_socket().get(), path) == ECONNREFUSED;
}

}  // namespace

FileDescriptor connect_unix(const std::string& path) {
  FileDescriptor fd = make_socket();
  if (const int error = connect_to(fd.get(), path); error != 0) {
    refuse("cannot connect to", path, error);
  }
  return fd;
}

FileDescriptor listen_unix(const std::string& path) {
  constexpr int kBacklog = 4096;
  FileDescriptor fd = make_socket();
  if (is_left_behind(path)) ::unlink(path.c_str());
  ::fchmod(fd.get(), 0600);  // which the path gets, less the umask
  if (const int error = bind_to(fd.get(), path); error != 0) refuse("cannot bind", path, error);
  if (::listen(fd.get(), kBacklog) != 0) refuse("cannot bind", path, errno);
  return fd;
}

}  // namespace netkit
