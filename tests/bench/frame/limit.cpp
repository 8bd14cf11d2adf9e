// The least that a program for frames can do: a buffered parser and the system calls, nothing else.
//   frame_limit serve          a server: each request gets its id and the error -1; prints its port
//   frame_limit decode         frames on stdin, their contents on stdout
//   frame_limit encode         lines `ID:TEXT` on stdin, frames on stdout
#include <arpa/inet.h>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <unordered_map>
#include <vector>

namespace {

constexpr std::size_t kBuffer = std::size_t{256} << 10U;

std::uint32_t length_at(const char* data) {
  std::uint32_t length = 0;
  std::memcpy(&length, data, sizeof length);
  return ntohl(length);
}

void write_all(int fd, std::string_view data) {
  while (!data.empty()) {
    const ssize_t count = ::write(fd, data.data(), data.size());
    if (count <= 0) std::exit(1);
    data.remove_prefix(static_cast<std::size_t>(count));
  }
}

// Calls `sink(content)` for each whole frame; returns how many bytes they were.
template <typename Sink>
std::size_t parse(std::string_view data, Sink&& sink) {
  std::size_t at = 0;
  while (data.size() - at >= 4) {
    const std::uint32_t length = length_at(data.data() + at);
    if (length == 0 || length > (1U << 20U)) std::exit(1);
    if (data.size() - at - 4 < length) break;
    sink(data.substr(at + 4, length));
    at += 4 + length;
  }
  return at;
}

// Reads all of stdin through one buffer; `consume(view)` returns how many bytes it took.
template <typename Consume>
void read_stdin(Consume&& consume) {
  std::vector<char> buffer(std::size_t{2} << 20U);
  std::size_t kept = 0;
  while (true) {
    const ssize_t count = ::read(STDIN_FILENO, buffer.data() + kept, kBuffer);
    if (count <= 0) return;
    kept += static_cast<std::size_t>(count);
    const std::size_t taken = consume(std::string_view(buffer.data(), kept));
    std::memmove(buffer.data(), buffer.data() + taken, kept - taken);
    kept -= taken;
  }
}

void decode() {
  std::string out;
  read_stdin([&](std::string_view data) {
    out.clear();
    const std::size_t taken =
        parse(data, [&](std::string_view content) { out += content.substr(1); });
    write_all(STDOUT_FILENO, out);
    return taken;
  });
}

void encode() {
  std::string out;
  read_stdin([&](std::string_view data) {
    out.clear();
    std::size_t at = 0;
    while (const void* end = std::memchr(data.data() + at, '\n', data.size() - at)) {
      const auto size = static_cast<std::size_t>(static_cast<const char*>(end) - data.data()) - at;
      const std::string_view line = data.substr(at, size);
      const std::size_t colon = line.find(':');
      const std::string_view body = line.substr(colon + 1);
      const std::uint32_t length = htonl(static_cast<std::uint32_t>(body.size() + 1));
      const char id = static_cast<char>(std::atoi(std::string(line.substr(0, colon)).c_str()));
      out.append(reinterpret_cast<const char*>(&length), sizeof length).append(1, id).append(body);
      at += size + 1;
    }
    write_all(STDOUT_FILENO, out);
    return at;
  });
}

void serve() {
  const int listening = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listening, any, size) != 0 || ::listen(listening, 4096) != 0) std::exit(1);
  ::getsockname(listening, any, &size);
  std::printf("%d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  const int epoll = ::epoll_create1(0);
  epoll_event event{.events = EPOLLIN, .data = {.fd = listening}};
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, listening, &event);
  std::unordered_map<int, std::string> rests;
  std::vector<char> buffer(kBuffer);
  std::vector<epoll_event> events(256);
  std::string out;
  while (true) {
    const int count = ::epoll_wait(epoll, events.data(), 256, -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == listening) {
        const int client = ::accept4(listening, nullptr, nullptr, SOCK_NONBLOCK);
        const int on = 1;
        ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        event.data.fd = client;
        ::epoll_ctl(epoll, EPOLL_CTL_ADD, client, &event);
        continue;
      }
      const ssize_t got = ::read(fd, buffer.data(), buffer.size());
      if (got <= 0) {
        ::close(fd);
        rests.erase(fd);
        continue;
      }
      std::string_view data(buffer.data(), static_cast<std::size_t>(got));
      std::string& rest = rests[fd];
      if (!rest.empty()) data = rest.append(data);
      out.clear();
      const std::size_t taken = parse(data, [&](std::string_view content) {
        out.append("\0\0\0\2", 4).append(1, content[0]).append(1, '\xff');
      });
      rest = std::string(data.substr(taken));
      if (!out.empty()) write_all(fd, out);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "serve") serve();
  if (mode == "decode") decode();
  if (mode == "encode") encode();
  return mode == "decode" || mode == "encode" ? 0 : 2;
}
