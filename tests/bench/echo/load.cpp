// The load that echo servers are measured with: a client that is no netkit.
//
//   load udp   PORT SECONDS FLOWS WINDOW SIZE     closed loop, each datagram by itself
//   load flood PORT SECONDS FLOWS WINDOW SIZE     the same, a window at a time by UDP_SEGMENT
//   load ping  PORT SECONDS 1 1 SIZE              one datagram at a time, blocking in recv
//   load rate  PORT SECONDS FLOWS RATE SIZE       open loop, datagrams a second
//   load tcp   PORT SECONDS FLOWS WINDOW SIZE     closed loop
//   load idle  PORT SECONDS FLOWS 0 0             connects, says `ready`, and stays until EOF
//
// Says `ready` once it is connected, and by TCP has had an answer on each connection; begins when
// its standard input has a line or ends. Prints `SENT RECEIVED SECONDS`, counted after the first
// tenth of the time.
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr std::size_t kTogether = 64;  // datagrams a system call
constexpr Seconds kLost(0.2);          // a window that is silent so long is sent again

struct Plan {
  std::string_view mode;
  std::uint16_t port = 0;
  Seconds duration{};
  std::size_t flows = 1;
  double window = 1;  // messages, or the rate
  std::size_t size = 64;
};

struct Flow {
  int fd = -1;
  std::size_t outstanding = 0;  // messages, or bytes of a stream
  Clock::time_point heard{};
};

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(70);
}

class Load {
 public:
  explicit Load(const Plan& plan)
      : plan_(plan),
        stream_(plan.mode == "tcp" || plan.mode == "idle"),
        window_(static_cast<std::size_t>(plan.window)),
        out_(std::max<std::size_t>(plan.size * std::max<std::size_t>(window_, 1), 1 << 16), 'x'),
        in_(1 << 18),
        flows_(plan.flows),
        epoll_(::epoll_create1(0)) {
    for (std::size_t at = 0; at + plan.size <= out_.size(); at += plan.size) stamp(&out_[at]);
    for (std::size_t i = 0; i < flows_.size(); ++i) open(i);
  }

  void run() {
    const auto begin = Clock::now();
    const auto warm = begin + std::chrono::duration_cast<Clock::duration>(plan_.duration / 10);
    const auto end = begin + std::chrono::duration_cast<Clock::duration>(plan_.duration);
    if (plan_.mode != "rate") {
      for (Flow& flow : flows_) refill(flow);
    }
    auto counted_from = begin;
    bool counting = false;
    for (auto now = begin; now < end; now = Clock::now()) {
      if (!counting && now >= warm) {
        counting = true;
        sent_ = received_ = 0;
        counted_from = now;
      }
      if (plan_.mode == "ping") {
        read_one(flows_[0]);
        send_each(flows_[0].fd, 1);
        continue;
      }
      if (plan_.mode == "rate") send_due(Seconds(now - begin).count());
      poll(plan_.mode == "rate" ? 0 : 50);
      if (plan_.mode != "rate" && !stream_) resend(now);
    }
    const double seconds = Seconds(Clock::now() - counted_from).count();
    if (plan_.mode == "rate") {  // answers that are under way count
      for (const auto until = Clock::now() + std::chrono::milliseconds(300);
           Clock::now() < until;) {
        poll(20);
      }
    }
    std::printf("%llu %llu %.6f\n", static_cast<unsigned long long>(sent_),
                static_cast<unsigned long long>(received_), seconds);
  }

  static void say_ready() {
    std::puts("ready");
    std::fflush(stdout);
    char byte = 0;
    [[maybe_unused]] const auto got = ::read(STDIN_FILENO, &byte, 1);
  }

 private:
  void open(std::size_t index) {
    sockaddr_in server{};
    server.sin_family = AF_INET;
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server.sin_port = htons(plan_.port);
    const int fd = ::socket(AF_INET, stream_ ? SOCK_STREAM : SOCK_DGRAM, 0);
    if (fd < 0) fail("socket");
    const int buffer = 4 << 20;
    const int one = 1;
    if (stream_) {
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    } else {
      ::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
      if (plan_.mode == "flood") ::setsockopt(fd, SOL_UDP, UDP_GRO, &one, sizeof one);
    }
    const timeval patience{5, 0};  // a server that does not accept is given up
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&server), sizeof server) != 0) fail("connect");
    if (plan_.mode == "tcp") greet(fd);
    if (plan_.mode == "ping") {
      const timeval lost{0, 200'000};
      ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &lost, sizeof lost);
    } else {
      ::fcntl(fd, F_SETFL, O_NONBLOCK);
    }
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = index;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    flows_[index].fd = fd;
  }

  // A message and its answer: the server has accepted the connection.
  void greet(int fd) {
    if (::send(fd, out_.data(), plan_.size, MSG_NOSIGNAL) < 0) fail("send");
    for (std::size_t heard = 0; heard < plan_.size;) {
      const ssize_t got = ::recv(fd, in_.data(), in_.size(), 0);
      if (got <= 0) fail("recv");
      heard += static_cast<std::size_t>(got);
    }
  }

  void refill(Flow& flow) {
    flow.heard = Clock::now();
    if (stream_) {
      const std::size_t due = window_ * plan_.size - flow.outstanding;
      if (due == 0) return;
      const ssize_t sent = ::send(flow.fd, out_.data(), std::min(due, out_.size()), MSG_NOSIGNAL);
      if (sent <= 0) return;
      flow.outstanding += static_cast<std::size_t>(sent);
      sent_ += static_cast<std::uint64_t>(sent);
      return;
    }
    std::size_t due = window_ - flow.outstanding;
    // Half a window at least: a client that sends datagrams one by one as answers come is slower
    // than the server, and what is measured then is the client.
    if (due < (window_ + 1) / 2) return;
    while (due > 0) {
      const std::size_t together = std::min<std::size_t>(
          {due, kTogether, plan_.mode == "flood" ? 65'000 / plan_.size : kTogether});
      const bool sent = plan_.mode == "flood" ? send_as_segments(flow.fd, together)
                                              : send_each(flow.fd, together);
      if (!sent) return;
      flow.outstanding += together;
      due -= together;
    }
  }

  // The header that sockperf's server wants to see: a number (8 bytes), client and wants an answer
  // (2), size (4). Each message has its own number, as those of load tests have.
  void stamp(char* message) {
    ++number_;
    for (int i = 0; i < 8; ++i) message[i] = static_cast<char>(number_ >> (56 - 8 * i));
    message[8] = 0;
    message[9] = 3;
    for (int i = 0; i < 4; ++i) message[10 + i] = static_cast<char>(plan_.size >> (24 - 8 * i));
  }

  // A datagram a message, some messages a system call.
  bool send_each(int fd, std::size_t count) {
    std::array<mmsghdr, kTogether> messages{};
    std::array<iovec, kTogether> vectors;
    for (std::size_t i = 0; i < count; ++i) {
      stamp(&out_[i * plan_.size]);
      vectors[i] = {&out_[i * plan_.size], plan_.size};
      messages[i].msg_hdr.msg_iov = &vectors[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    for (std::size_t done = 0; done < count;) {
      const int sent = ::sendmmsg(fd, &messages[done], static_cast<unsigned>(count - done), 0);
      if (sent <= 0) return false;
      done += static_cast<std::size_t>(sent);
      sent_ += static_cast<std::uint64_t>(sent);
    }
    return true;
  }

  bool send_as_segments(int fd, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) stamp(&out_[i * plan_.size]);
    iovec vector{out_.data(), count * plan_.size};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(std::uint16_t))> control{};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    if (count > 1) {
      message.msg_control = control.data();
      message.msg_controllen = control.size();
      cmsghdr* const header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_UDP;
      header->cmsg_type = UDP_SEGMENT;
      header->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
      const auto size = static_cast<std::uint16_t>(plan_.size);
      std::memcpy(CMSG_DATA(header), &size, sizeof size);
    }
    if (::sendmsg(fd, &message, 0) < 0) return false;
    sent_ += count;
    return true;
  }

  void send_due(double elapsed) {
    const auto due = static_cast<std::uint64_t>(elapsed * plan_.window);
    for (int i = 0; i < 64 && scheduled_ < due; ++i, ++scheduled_) {
      send_each(flows_[scheduled_ % flows_.size()].fd, 1);
    }
  }

  void poll(int timeout) {
    std::array<epoll_event, 256> events;
    const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout);
    for (int i = 0; i < count; ++i) {
      Flow& flow = flows_[events[static_cast<std::size_t>(i)].data.u64];
      read(flow);
      if (plan_.mode != "rate") refill(flow);
    }
  }

  void read(Flow& flow) {
    if (stream_ || plan_.mode == "flood") {
      for (int i = 0; i < 64 && read_one(flow); ++i) {
      }
      return;
    }
    std::array<mmsghdr, kTogether> messages{};
    std::array<iovec, kTogether> vectors;
    for (std::size_t i = 0; i < kTogether; ++i) {
      vectors[i] = {&in_[i * (in_.size() / kTogether)], in_.size() / kTogether};
      messages[i].msg_hdr.msg_iov = &vectors[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    const int count = ::recvmmsg(flow.fd, messages.data(), kTogether, MSG_DONTWAIT, nullptr);
    if (count > 0) take(flow, static_cast<std::size_t>(count));
  }

  // Says whether there may be more.
  bool read_one(Flow& flow) {
    const ssize_t got = ::recv(flow.fd, in_.data(), in_.size(), 0);
    if (got == 0 && stream_) std::exit(69);
    if (got <= 0) return false;
    const auto bytes = static_cast<std::size_t>(got);
    take(flow, stream_ ? bytes : (bytes + plan_.size - 1) / plan_.size);
    return !stream_;
  }

  void take(Flow& flow, std::size_t messages) {
    received_ += messages;
    flow.outstanding -= std::min(flow.outstanding, messages);
  }

  void resend(Clock::time_point now) {
    if (now - checked_ < kLost / 2) return;
    checked_ = now;
    for (Flow& flow : flows_) {
      if (now - flow.heard < kLost) continue;
      flow.outstanding = 0;
      refill(flow);
    }
  }

  Plan plan_;
  bool stream_;
  std::size_t window_;
  std::vector<char> out_;
  std::vector<char> in_;
  std::vector<Flow> flows_;
  int epoll_;
  std::uint64_t sent_ = 0;  // messages, or bytes of streams
  std::uint64_t received_ = 0;
  std::uint64_t scheduled_ = 0;
  std::uint64_t number_ = 0;
  Clock::time_point checked_{};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fputs(
        "usage: echo_load udp|flood|ping|rate|tcp|idle PORT SECONDS FLOWS WINDOW|RATE SIZE\n",
        stderr);
    return 2;
  }
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  Plan plan;
  plan.mode = argv[1];
  plan.port = static_cast<std::uint16_t>(std::strtoul(argv[2], nullptr, 10));
  plan.duration = Seconds(std::strtod(argv[3], nullptr));
  plan.flows = std::strtoul(argv[4], nullptr, 10);
  plan.window = std::strtod(argv[5], nullptr);
  plan.size = std::max<std::size_t>(std::strtoul(argv[6], nullptr, 10), 14);
  Load load(plan);
  Load::say_ready();
  if (plan.mode != "idle") load.run();
  return 0;
}
