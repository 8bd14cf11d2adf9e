// session_load chat|push PORT MEMBERS MESSAGES: as many native sessions with the room or the push
// server on 127.0.0.1:PORT, each from a socket of its own. Prints `joined` once all of them are in,
// and `heard` once each has had MESSAGES messages, once and in order; when its standard input ends,
// all leave. Ends with 1 and a reason when one has not, or when a minute has passed without the
// next event.
#include <algorithm>
#include <chat/payload.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <poll.h>
#include <push/payload.hpp>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <netkit/datagram/client.hpp>
#include <netkit/net/datagram_receiver.hpp>
#include <netkit/net/udp_socket.hpp>

namespace netkit {
namespace {

constexpr std::size_t kTogether = 50;  // sessions that begin at once
constexpr Duration kPatience = std::chrono::minutes(1);

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "session_load: %s\n", why.c_str());
  std::exit(1);
}

struct Progress {
  std::size_t joined = 0;
  std::size_t heard = 0;
};

// What a session says in CONNECT, and where it is told that its messages begin.
struct Application {
  bool chat = false;
  std::string request(std::size_t number) const {
    std::string bytes;
    const std::string name = "m" + std::to_string(number);
    if (!chat) return push::encode(push::Request{0, 0, name});
    chat::encode(chat::Hello{.instance = number + 1, .name = name}, bytes);
    return bytes;
  }
  std::uint64_t first(std::string_view answer) const {
    if (chat) return chat::decode_welcome(answer).value_or(chat::Welcome{}).first;
    return push::decode_welcome(answer).value_or(push::Welcome{}).first;
  }
};

class Member final : public datagram::Client::Handler {
 public:
  Member(const Endpoint& server, Application application, std::size_t number, std::uint64_t wanted,
         Progress& progress)
      : socket_(server.family(), {.gro = true}),  // as netkit's own members have it
        endpoint_({}, server, datagram::system_random(), *this),
        application_(application),
        number_(number),
        wanted_(wanted),
        progress_(progress) {
    socket_.connect(server);
  }

  int fd() const { return socket_.fd(); }
  void begin(TimePoint now) {
    endpoint_.connect(application_.request(number_), now);
    send(now);
  }
  void receive(DatagramReceiver& receiver, TimePoint now) {
    for (const ReceivedMessage& message : receiver.receive(socket_).messages) {
      for_each_datagram(message, [&](std::string_view d) { endpoint_.on_datagram(d, now); });
    }
    send(now);
  }
  void run_due(TimePoint now) {
    if (endpoint_.next_deadline() > now) return;
    endpoint_.tick(now);
    send(now);
  }
  void leave(TimePoint now) {
    endpoint_.leave("quit", now);
    send(now);
  }

 private:
  void on_connected(std::string_view answer) override {
    next_ = application_.first(answer);
    endpoint_.expect_record(next_);
    ++progress_.joined;
  }
  void on_rejected(std::uint16_t, std::string_view text) override { fail(std::string(text)); }
  void on_gap(const datagram::Gap&) override { fail("a gap"); }
  void on_left(datagram::LeftReason reason, std::string_view) override {
    fail(std::string(datagram::to_string(reason)));
  }
  void on_message(std::uint64_t record, std::string_view) override {
    if (record == 0) return;  // who comes and goes
    if (record != next_++) fail("message " + std::to_string(record) + " out of order");
    if (--wanted_ == 0) ++progress_.heard;
  }
  void send(TimePoint now) {
    static datagram::OutputQueue queue;
    while (endpoint_.drain(queue, now)) {
    }
    for (const datagram::OutputQueue::Item& item : queue.items()) {
      std::string bytes(item.head);
      bytes += item.body;
      socket_.send(bytes);
    }
    queue.clear();
  }

  UdpSocket socket_;
  datagram::Client endpoint_;
  Application application_;
  std::size_t number_;
  std::uint64_t wanted_;
  Progress& progress_;
  std::uint64_t next_ = 0;
};

class Load {
 public:
  Load(const Endpoint& server, Application application, std::size_t count, std::uint64_t messages)
      : epoll_(::epoll_create1(0)) {
    for (std::size_t i = 0; i < count; ++i) {
      members_.push_back(std::make_unique<Member>(server, application, i, messages, progress_));
      epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, members_.back()->fd(), &event);
    }
  }

  void run() {
    wait_for(progress_.joined, "joined");
    wait_for(progress_.heard, "heard");
    while (!input_ended()) turn();
    for (auto& member : members_) member->leave(clock_.now());
  }

 private:
  void wait_for(const std::size_t& count, const char* what) {
    std::size_t before = count;
    TimePoint changed = clock_.now();
    while (count < members_.size()) {
      turn();
      if (clock_.now() - changed > kPatience) {
        fail(std::to_string(count) + " " + what + " in time");
      }
      if (std::exchange(before, count) != count) changed = clock_.now();
    }
    std::puts(what);
    std::fflush(stdout);
  }

  static bool input_ended() {
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    char byte = 0;
    return ::poll(&input, 1, 0) > 0 && ::read(STDIN_FILENO, &byte, 1) <= 0;
  }

  void turn() {
    while (begun_ < members_.size() && begun_ < progress_.joined + kTogether) {
      members_[begun_++]->begin(clock_.now());
    }
    std::vector<epoll_event> events(256);
    const int ready = ::epoll_wait(epoll_, events.data(), 256, 5);
    const TimePoint now = clock_.now();
    for (int i = 0; i < ready; ++i) {
      members_[events[static_cast<std::size_t>(i)].data.u64]->receive(receiver_, now);
    }
    if (now - looked_ < std::chrono::milliseconds(5)) return;
    looked_ = now;
    for (auto& member : members_) member->run_due(now);
  }

  SystemClock clock_;
  int epoll_;
  Progress progress_;
  std::vector<std::unique_ptr<Member>> members_;
  std::size_t begun_ = 0;
  DatagramReceiver receiver_;
  TimePoint looked_{};
};

int run(int argc, char** argv) {
  const std::string_view application = argc == 5 ? argv[1] : "";
  const auto number = [argv](int i) { return std::strtoul(argv[i], nullptr, 10); };
  if (application != "chat" && application != "push") return 2;
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, number(3) + 64);
  ::setrlimit(RLIMIT_NOFILE, &files);
  const Endpoint server(IpAddress::loopback(IpAddress::Family::v4),
                        static_cast<std::uint16_t>(number(2)));
  Load(server, {application == "chat"}, number(3), number(4)).run();
  return 0;
}

}  // namespace
}  // namespace netkit

int main(int argc, char** argv) {
  return netkit::run(argc, argv);
}
