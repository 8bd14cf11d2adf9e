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

// Where output is put together: as large as whatever one read can make of it.
class Out {
 public:
  void add(const void* data, std::size_t size) {
    std::memcpy(buffer_.data() + size_, data, size);
    size_ += size;
  }
  void add(std::string_view data) { add(data.data(), data.size()); }
  std::string_view view() const { return {buffer_.data(), size_}; }
  void clear() { size_ = 0; }

 private:
  std::vector<char> buffer_ = std::vector<char>(std::size_t{4} << 20U);
  std::size_t size_ = 0;
};

void decode() {
  Out out;
  read_stdin([&](std::string_view data) {
    out.clear();
    const std::size_t taken =
        parse(data, [&](std::string_view content) { out.add(content.substr(1)); });
    write_all(STDOUT_FILENO, out.view());
    return taken;
  });
}

// The number at the front of `line`, which it and the colon after it are taken from.
char take_id(std::string_view& line) {
  const bool negative = line[0] == '-';
  std::size_t at = negative ? 1 : 0;
  int id = 0;
  for (; at < line.size() && line[at] != ':'; ++at) id = id * 10 + (line[at] - '0');
  if (at == line.size()) std::exit(1);
  line.remove_prefix(at + 1);
  return static_cast<char>(negative ? -id : id);
}

void encode() {
  Out out;
  read_stdin([&](std::string_view data) {
    out.clear();
    std::size_t at = 0;
    while (const void* end = std::memchr(data.data() + at, '\n', data.size() - at)) {
      const auto size = static_cast<std::size_t>(static_cast<const char*>(end) - data.data()) - at;
      std::string_view line = data.substr(at, size);
      at += size + 1;
      char head[5];
      head[4] = take_id(line);
      const std::uint32_t length = htonl(static_cast<std::uint32_t>(line.size() + 1));
      std::memcpy(head, &length, sizeof length);
      out.add(head, sizeof head);
      out.add(line);
    }
    write_all(STDOUT_FILENO, out.view());
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
  std::vector<std::string> rests(std::size_t{1} << 16U);  // by descriptor
  std::vector<char> buffer(kBuffer);
  std::vector<epoll_event> events(256);
  Out out;
  while (true) {
    const int count = ::epoll_wait(epoll, events.data(), 256, -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == listening) {
        const int client = ::accept4(listening, nullptr, nullptr, SOCK_NONBLOCK);
        if (client < 0 || static_cast<std::size_t>(client) >= rests.size()) std::exit(1);
        const int on = 1;
        ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        event.data.fd = client;
        ::epoll_ctl(epoll, EPOLL_CTL_ADD, client, &event);
        continue;
      }
      const ssize_t got = ::read(fd, buffer.data(), buffer.size());
      if (got <= 0) {
        ::close(fd);
        rests[static_cast<std::size_t>(fd)].clear();
        continue;
      }
      std::string_view data(buffer.data(), static_cast<std::size_t>(got));
      std::string& rest = rests[static_cast<std::size_t>(fd)];
      if (!rest.empty()) data = rest.append(data);
      out.clear();
      const std::size_t taken = parse(data, [&](std::string_view content) {
        const char answer[] = {0, 0, 0, 2, content[0], '\xff'};
        out.add(answer, sizeof answer);
      });
      if (taken < data.size() || !rest.empty()) rest = std::string(data.substr(taken));
      if (!out.view().empty()) write_all(fd, out.view());
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
