// The limit: the system calls that an echo server cannot do without, and nothing else.
//
//   reflector udp|tcp [spin]   listens on a free port of 127.0.0.1, prints it, and answers until
//                              killed; with `spin` it never sleeps: no server answers sooner
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string_view>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

constexpr int kReceiveBuffer = 4 << 20;

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(70);
}

int listen_on_loopback(int type) {
  const int fd = ::socket(AF_INET, type, 0);
  if (fd < 0) fail("socket");
  const int one = 1;
  if (type == SOCK_STREAM) ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (type == SOCK_DGRAM &&
      ::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof(int)) != 0) {
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof(int));
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0) fail("bind");
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) fail("getsockname");
  if (type == SOCK_STREAM && ::listen(fd, 4096) != 0) fail("listen");
  std::printf("%u\n", ntohs(address.sin_port));
  std::fflush(stdout);
  return fd;
}

void reflect_udp(bool spin) {
  constexpr unsigned kBatch = 64;
  constexpr std::size_t kSize = 2048;
  static std::array<std::array<char, kSize>, kBatch> buffers;
  std::array<mmsghdr, kBatch> messages{};
  std::array<iovec, kBatch> vectors{};
  std::array<sockaddr_in, kBatch> peers{};
  const int fd = listen_on_loopback(SOCK_DGRAM);
  for (;;) {
    for (unsigned i = 0; i < kBatch; ++i) {
      vectors[i] = {buffers[i].data(), kSize};
      messages[i].msg_hdr = {&peers[i], sizeof peers[i], &vectors[i], 1, nullptr, 0, 0};
    }
    const int count =
        ::recvmmsg(fd, messages.data(), kBatch, spin ? MSG_DONTWAIT : MSG_WAITFORONE, nullptr);
    if (count < 0 && errno != EAGAIN) fail("recvmmsg");
    for (int i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>(i);
      vectors[at].iov_len = messages[at].msg_len;
    }
    for (int done = 0; done < count;) {
      const int sent = ::sendmmsg(fd, &messages[static_cast<std::size_t>(done)],
                                  static_cast<unsigned>(count - done), 0);
      done += sent > 0 ? sent : 1;
    }
  }
}

// Blocks for a client that does not read; the load that this is measured with always does.
bool write_all(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t sent = ::send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      data += sent;
      size -= static_cast<std::size_t>(sent);
      continue;
    }
    if (errno != EAGAIN) return false;
    pollfd writable{fd, POLLOUT, 0};
    ::poll(&writable, 1, -1);
  }
  return true;
}

void accept_all(int epoll, int listening) {
  for (;;) {
    const int fd = ::accept4(listening, nullptr, nullptr, SOCK_NONBLOCK);
    if (fd < 0) return;
    const int one = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
  }
}

void reflect_tcp(bool spin) {
  static std::array<char, 256 << 10> buffer;
  std::array<epoll_event, 256> events{};
  const int listening = listen_on_loopback(SOCK_STREAM);
  const int epoll = ::epoll_create1(0);
  ::fcntl(listening, F_SETFL, O_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = listening;
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, listening, &event) != 0) fail("epoll_ctl");
  for (;;) {
    const int count =
        ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), spin ? 0 : -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == listening) {
        accept_all(epoll, listening);
        continue;
      }
      const ssize_t got = ::read(fd, buffer.data(), buffer.size());
      if (got < 0 && errno == EAGAIN) continue;
      if (got <= 0 || !write_all(fd, buffer.data(), static_cast<std::size_t>(got))) ::close(fd);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view kind = argc > 1 ? argv[1] : "";
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  const bool spin = argc > 2 && std::string_view(argv[2]) == "spin";
  if (kind == "udp") reflect_udp(spin);
  if (kind == "tcp") reflect_tcp(spin);
  std::fputs("usage: echo_reflector udp|tcp [spin]\n", stderr);
  return 2;
}
