// Load for a frame server: CONNECTIONS with WINDOW requests each under way, of SIZE bytes of body.
//   frame_load run PORT CONNECTIONS WINDOW SIZE SECONDS    prints `ANSWERS SECONDS`
//   frame_load idle PORT CONNECTIONS                       registers
// Both print `ready` once the server has answered on all of them, and wait for standard input.
#include <arpa/inet.h>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace {

constexpr std::size_t kAnswer = 6;

std::string request(char id, std::size_t size) {
  const std::uint32_t length = htonl(static_cast<std::uint32_t>(size + 1));
  std::string frame(reinterpret_cast<const char*>(&length), sizeof length);
  return frame.append(1, id).append(size, 'x');
}

int connect_to(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    std::perror("connect");
    std::exit(1);
  }
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

void send_all(int fd, std::string_view data) {
  while (!data.empty()) {
    const ssize_t count = ::send(fd, data.data(), data.size(), MSG_NOSIGNAL);
    if (count <= 0) std::exit(1);
    data.remove_prefix(static_cast<std::size_t>(count));
  }
}

// One request and its answer.
void ask(int fd, std::string_view request) {
  char answer[kAnswer];
  send_all(fd, request);
  if (::recv(fd, answer, sizeof answer, MSG_WAITALL) != kAnswer) std::exit(1);
}

void say_ready() {
  std::puts("ready");
  std::fflush(stdout);
  std::getchar();
}

struct Connection {
  int fd;
  std::size_t rest = 0;  // bytes of an answer that is not whole
};

void run(int port, std::size_t count, std::size_t window, std::size_t size, double seconds) {
  using Clock = std::chrono::steady_clock;
  std::string burst;
  for (std::size_t i = 0; i < window; ++i) burst += request(7, size);
  const std::size_t one = burst.size() / window;
  std::vector<Connection> connections;
  const int epoll = ::epoll_create1(0);
  for (std::size_t i = 0; i < count; ++i) {
    connections.push_back({connect_to(port)});
    ask(connections.back().fd, burst.substr(0, one));
    epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, connections.back().fd, &event);
  }
  say_ready();
  const auto begin = Clock::now();
  const auto end = begin + std::chrono::duration<double>(seconds);
  for (const Connection& connection : connections) send_all(connection.fd, burst);
  std::vector<char> buffer(std::size_t{256} << 10U);
  std::vector<epoll_event> events(256);
  std::size_t answers = 0;
  while (Clock::now() < end) {
    const int ready = ::epoll_wait(epoll, events.data(), 256, 100);
    for (int i = 0; i < ready; ++i) {
      Connection& connection = connections[events[static_cast<std::size_t>(i)].data.u64];
      const ssize_t got = ::read(connection.fd, buffer.data(), buffer.size());
      if (got <= 0) std::exit(1);
      const std::size_t bytes = connection.rest + static_cast<std::size_t>(got);
      connection.rest = bytes % kAnswer;
      answers += bytes / kAnswer;
      send_all(connection.fd, std::string_view(burst).substr(0, bytes / kAnswer * one));
    }
  }
  std::printf("%zu %.6f\n", answers, std::chrono::duration<double>(Clock::now() - begin).count());
}

void idle(int port, std::size_t count) {
  std::vector<int> connections;
  const std::string message = request(0, 51);
  for (std::size_t i = 0; i < count; ++i) {
    connections.push_back(connect_to(port));
    ask(connections.back(), message);
  }
  say_ready();
}

}  // namespace

int main(int argc, char** argv) {
  const auto number = [&](int i) { return i < argc ? std::strtoul(argv[i], nullptr, 10) : 0; };
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "run" && argc == 7) {
    run(static_cast<int>(number(2)), number(3), number(4), number(5), std::atof(argv[6]));
    return 0;
  }
  if (mode == "idle" && argc == 4) {
    idle(static_cast<int>(number(2)), number(3));
    return 0;
  }
  return 2;
}
