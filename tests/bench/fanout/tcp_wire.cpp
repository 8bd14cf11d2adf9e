// Subscribers of redis, nats-server and mosquitto: what they are sent is counted, not parsed.
#include "subscriber.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace fanout {
namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || ::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) fail("connect");
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

void say(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0) fail("write");
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

// Reads until the last bytes are `end`, or there are `size` bytes.
void await(int fd, std::string_view end, std::size_t size) {
  std::string got;
  while (end.empty() ? got.size() < size : !got.ends_with(end)) {
    std::array<char, 4096> bytes;
    const ssize_t count = ::read(fd, bytes.data(), bytes.size());
    if (count <= 0) fail("no answer from the server");
    got.append(bytes.data(), static_cast<std::size_t>(count));
  }
}

class TcpSubscriber final : public Subscriber {
 public:
  explicit TcpSubscriber(int fd) : fd_(fd) {}
  ~TcpSubscriber() override { ::close(fd_); }
  int fd() const override { return fd_; }
  bool ready() const override { return true; }
  std::uint64_t read() override {
    static std::array<char, 1 << 18> bytes;
    const ssize_t count = ::recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (count == 0) throw std::runtime_error("the server closed a subscription");
    if (count < 0) return 0;
    return static_cast<std::uint64_t>(std::count(bytes.data(), bytes.data() + count, kFill));
  }

 private:
  int fd_;
};

struct Protocol {
  std::string_view name;
  std::string (*hello)(std::size_t number);  // empty: none
  std::string_view hello_end;                // what the answer to it ends with, or
  std::size_t hello_size;                    // how long it is
  std::string_view subscribe;
  std::string_view subscribe_end;
  std::size_t subscribe_size;
  std::string (*publish)(std::string_view text);
};

std::string no_hello(std::size_t) {
  return {};
}

std::string redis_publish(std::string_view text) {
  return "*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$" + std::to_string(text.size()) + "\r\n" +
         std::string(text) + "\r\n";
}

std::string nats_hello(std::size_t) {
  return "CONNECT {\"verbose\":false}\r\nPING\r\n";
}

std::string nats_publish(std::string_view text) {
  return "PUB c " + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

std::string mqtt_hello(std::size_t number) {
  const std::string id = "s" + std::to_string(number);
  std::string body("\0\4MQTT\4\2\0\0\0", 11);
  body += static_cast<char>(id.size());
  body += id;
  return std::string{0x10, static_cast<char>(body.size())} + body;
}

std::string mqtt_publish(std::string_view text) {
  std::string out(1, 0x30);
  for (std::size_t rest = text.size() + 3; rest > 0 || out.size() == 1; rest >>= 7) {
    out += static_cast<char>((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
  }
  return out + std::string("\0\1c", 3) + std::string(text);
}

constexpr std::string_view kMqttSubscribe{"\x82\x06\0\1\0\1c\0", 8};

constexpr std::array<Protocol, 3> kProtocols = {{
    {"redis", no_hello, "", 0, "SUBSCRIBE c\r\n", ":1\r\n", 0, redis_publish},
    {"nats", nats_hello, "PONG\r\n", 0, "SUB c 1\r\nPING\r\n", "PONG\r\n", 0, nats_publish},
    {"mosquitto", mqtt_hello, "", 4, kMqttSubscribe, "", 5, mqtt_publish},
}};

class TcpWire final : public Wire {
 public:
  TcpWire(const Protocol& protocol, std::uint16_t port) : protocol_(protocol), port_(port) {}

  std::unique_ptr<Subscriber> subscribe(std::size_t number) override {
    const int fd = greeted(number);
    say(fd, protocol_.subscribe);
    await(fd, protocol_.subscribe_end, protocol_.subscribe_size);
    return std::make_unique<TcpSubscriber>(fd);
  }
  int publisher() override { return greeted(0); }
  std::string publish(std::string_view text) override { return protocol_.publish(text); }

 private:
  int greeted(std::size_t number) {
    const int fd = connect_to(port_);
    if (const std::string hello = protocol_.hello(number); !hello.empty()) {
      say(fd, hello);
      await(fd, protocol_.hello_end, protocol_.hello_size);
    }
    return fd;
  }

  const Protocol& protocol_;
  std::uint16_t port_;
};

}  // namespace

std::unique_ptr<Wire> make_wire(std::string_view name, std::uint16_t port, int pipe) {
  const char* const keys = std::getenv("NETKIT_BENCH_KEYS");
  if (name == "netkit") return make_netkit_wire(port, pipe, nullptr, Dialect::push);
  if (name == "room") return make_netkit_wire(port, pipe, nullptr, Dialect::chat);
  if (name == "private") return make_netkit_wire(port, pipe, keys, Dialect::push);
  if (name == "private-room") return make_netkit_wire(port, pipe, keys, Dialect::chat);
  if (name == "handshakes") return make_netkit_wire(port, pipe, keys, Dialect::none);
  for (const Protocol& protocol : kProtocols) {
    if (protocol.name == name) return std::make_unique<TcpWire>(protocol, port);
  }
  throw std::invalid_argument("no such wire");
}

}  // namespace fanout
