// store_hop redis PORT COUNT: the time from an XADD by one client to the answer of another one's
// XREAD. store_hop relayed PORT COUNT: the same with a relay at either end that does nothing but
// pass it on, as a server has to: four that wake up instead of two. store_hop netkit PORT PORT
// COUNT: from a record that is published at one push server to a plain subscriber of another. COUNT
// of them, 1,000 a second. Prints p50 and p99 in microseconds.
#include <algorithm>
#include <arpa/inet.h>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <netinet/tcp.h>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kSize = 100;
constexpr auto kPause = std::chrono::milliseconds(1);

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

int connected(int type, const char* port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port)));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
  if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) fail(port);
  const int on = 1;
  if (type == SOCK_STREAM) ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const timeval patience{5, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return fd;
}

void say(int fd, std::string_view bytes) {
  if (::send(fd, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) fail("send");
}

std::string hear(int fd, std::string_view end) {
  std::string heard;
  char bytes[4096];
  while (!heard.ends_with(end)) {
    const ssize_t size = ::recv(fd, bytes, sizeof bytes, 0);
    if (size <= 0) fail("recv");
    heard.append(bytes, static_cast<std::size_t>(size));
  }
  return heard;
}

bool has_news(int fd) {
  pollfd waited{fd, POLLIN, 0};
  return ::poll(&waited, 1, 50) > 0;
}

std::string command(std::initializer_list<std::string_view> words) {
  std::string out = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string_view word : words) {
    out += "$" + std::to_string(word.size()) + "\r\n" + std::string(word) + "\r\n";
  }
  return out;
}

// A way from a publisher to a reader.
class Way {
 public:
  virtual ~Way() = default;
  virtual void prepare() {}
  virtual void send() = 0;
  virtual void await() = 0;
  virtual void settle() = 0;  // what is not timed
};

class Redis final : public Way {
 public:
  explicit Redis(const char* port)
      : writer_(connected(SOCK_STREAM, port)), reader_(connected(SOCK_STREAM, port)) {}
  void prepare() override {
    say(reader_, command({"XREAD", "BLOCK", "0", "STREAMS", "bare", last_}));
  }
  void send() override {
    say(writer_, command({"XADD", "bare", "MAXLEN", "~", "1000", "*", "text", text_}));
  }
  void await() override { hear(reader_, text_ + "\r\n"); }
  void settle() override {
    const std::string id = hear(writer_, "\r\n");
    last_ = id.substr(id.find("\r\n") + 2);
    last_.resize(last_.size() - 2);
  }

 private:
  int writer_;
  int reader_;
  std::string text_ = std::string(kSize, 'x');
  std::string last_ = "0-0";
};

class Relayed final : public Way {
 public:
  explicit Relayed(const char* port) {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) != 0) fail("socketpair");
    reader_ = pair[0];
    std::thread([this, port, to = pair[1]] {
      pass_from_redis(connected(SOCK_STREAM, port), to);
    }).detach();
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) fail("socketpair");
    writer_ = pair[0];
    std::thread([from = pair[1], port] {
      pass_to_redis(from, connected(SOCK_STREAM, port));
    }).detach();
    std::this_thread::sleep_for(50 * kPause);
  }
  void send() override { say(writer_, text_); }
  void await() override { hear(reader_, text_); }
  void settle() override { hear(writer_, "OK\n"); }

 private:
  static void pass_to_redis(int from, int redis) {
    for (;;) {
      const std::string text = hear(from, std::string(kSize, 'x'));
      say(redis, command({"XADD", "bare", "MAXLEN", "~", "1000", "*", "text", text}));
      hear(redis, "\r\n");
      say(from, "OK\n");
    }
  }
  void pass_from_redis(int redis, int to) const {
    for (;;) {
      say(redis, command({"XREAD", "BLOCK", "0", "STREAMS", "bare", "$"}));
      hear(redis, text_ + "\r\n");
      say(to, text_);
    }
  }

  int writer_ = -1;
  int reader_ = -1;
  std::string text_ = std::string(kSize, 'x');
};

class Netkit final : public Way {
 public:
  Netkit(const char* from, const char* to)
      : writer_(connected(SOCK_STREAM, from)), reader_(connected(SOCK_DGRAM, to)) {
    say(reader_, "hop");
    // Who has subscribed hears what is published from then on.
    while (!has_news(reader_)) {
      say(writer_, "PUSH - 5\nprobe");
      settle();
    }
  }
  void send() override { say(writer_, request_); }
  void await() override { hear(reader_, text_); }
  void settle() override { hear(writer_, "OK\n"); }

 private:
  int writer_;
  int reader_;
  std::string text_ = std::string(kSize, 'x');
  std::string request_ = "PUSH - " + std::to_string(kSize) + "\n" + text_;
};

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  std::unique_ptr<Way> way;
  if (what == "redis" && argc == 4) {
    way = std::make_unique<Redis>(argv[2]);
  } else if (what == "relayed" && argc == 4) {
    way = std::make_unique<Relayed>(argv[2]);
  } else if (what != "netkit" || argc != 5) {
    std::fputs("usage: store_hop redis PORT COUNT | relayed PORT COUNT | netkit PORT PORT COUNT\n",
               stderr);
    return 2;
  } else {
    way = std::make_unique<Netkit>(argv[2], argv[3]);
  }
  const auto count = static_cast<std::size_t>(std::atoi(argv[argc - 1]));
  std::vector<double> times;
  for (std::size_t i = 0; i < count; ++i) {
    way->prepare();
    std::this_thread::sleep_for(kPause);
    const auto begin = Clock::now();
    way->send();
    way->await();
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
    way->settle();
  }
  std::sort(times.begin(), times.end());
  std::printf("%.1f %.1f\n", times[count / 2], times[count * 99 / 100]);
  return 0;
}
