// sse_limit READERS: takes READERS connections on a free port of 127.0.0.1, which it prints,
// answers each at once, and then sends what it reads from stdin, made to events, to all of them.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace {

constexpr std::string_view kHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";

std::vector<int> accept_readers(std::size_t count) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener, generic, size) != 0 || ::listen(listener, 4096) != 0) std::exit(1);
  ::getsockname(listener, generic, &size);
  std::printf("%d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  std::vector<int> readers(count);
  std::array<char, 4096> request{};
  for (int& reader : readers) {
    reader = ::accept(listener, nullptr, nullptr);
    if (::recv(reader, request.data(), request.size(), 0) <= 0) std::exit(1);
    if (::send(reader, kHead.data(), kHead.size(), 0) < 0) std::exit(1);
  }
  return readers;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::vector<int> readers = accept_readers(std::strtoul(argv[1], nullptr, 10));
  std::array<char, 65536> lines{};
  std::string batch;
  unsigned long id = 0;
  while (true) {
    const ssize_t count = ::read(STDIN_FILENO, lines.data(), lines.size());
    if (count <= 0) return 0;
    std::string_view input(lines.data(), static_cast<std::size_t>(count));
    batch.clear();
    while (!input.empty()) {
      const std::size_t end = std::min(input.find('\n'), input.size() - 1) + 1;
      batch.append("id: ").append(std::to_string(++id)).append("\ndata: ").append(input, 0, end);
      batch += '\n';
      input.remove_prefix(end);
    }
    for (const int reader : readers) {
      if (::send(reader, batch.data(), batch.size(), MSG_NOSIGNAL) < 0) return 1;
    }
  }
}
