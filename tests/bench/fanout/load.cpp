// fanout_load WIRE PORT SUBSCRIBERS MESSAGES SIZE WINDOW PIPE: subscribes so many times, says
// "ready", and after a line on stdin publishes MESSAGES of SIZE bytes, at most WINDOW of them ahead
// of what has arrived. Says how many seconds it took until all had all of them, and ends with
// stdin. PIPE is the descriptor that netkit takes its records from.
#include "subscriber.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <vector>

namespace {

using fanout::Subscriber;
using Clock = std::chrono::steady_clock;

constexpr auto kPatience = std::chrono::seconds(20);  // without a delivery
constexpr std::size_t kComing = 64;                   // that subscribe at once

struct Plan {
  std::size_t subscribers;
  std::uint64_t messages;
  std::size_t size;
  std::uint64_t window;
};

class Load {
 public:
  Load(fanout::Wire& wire, const Plan& plan)
      : wire_(wire), plan_(plan), epoll_(::epoll_create1(0)) {}

  void subscribe() {
    for (std::size_t i = 1; i <= plan_.subscribers; ++i) {
      subscribers_.push_back(wire_.subscribe(i));
      watch(subscribers_.back()->fd(), subscribers_.back().get());
      while (i >= kComing && !subscribers_[i - kComing]->ready()) turn();
    }
    for (const auto& subscriber : subscribers_) {
      while (!subscriber->ready()) turn();
    }
    publisher_ = wire_.publisher();
    ::fcntl(publisher_, F_SETFL, ::fcntl(publisher_, F_GETFL) | O_NONBLOCK);
    message_ = wire_.publish(std::string(plan_.size, fanout::kFill));
  }

  double run() {
    const auto begin = Clock::now();
    progress_ = begin;
    while (deliveries() < plan_.messages * plan_.subscribers) {
      publish();
      turn();
    }
    return std::chrono::duration<double>(Clock::now() - begin).count();
  }

 private:
  std::uint64_t deliveries() const { return bytes_ / plan_.size; }

  void watch(int fd, Subscriber* subscriber) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = subscriber;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  void turn() {
    std::array<epoll_event, 256> events;
    const int count = ::epoll_wait(epoll_, events.data(), events.size(), pending_.empty() ? 5 : 0);
    std::uint64_t gained = 0;
    for (int i = 0; i < count; ++i) {
      gained += static_cast<Subscriber*>(events[static_cast<std::size_t>(i)].data.ptr)->read();
    }
    bytes_ += gained;
    const auto now = Clock::now();
    if (now - ticked_ > std::chrono::milliseconds(5)) {
      ticked_ = now;
      for (const auto& subscriber : subscribers_) subscriber->tick();
    }
    if (gained > 0) progress_ = now;
    if (progress_ != Clock::time_point() && now - progress_ > kPatience) {
      throw std::runtime_error("stuck at " + std::to_string(deliveries()) + " deliveries");
    }
  }

  // Half a window at a time, so that there is a queue to send.
  void publish() {
    std::array<char, 4096> answers;
    const auto slowest = deliveries() / plan_.subscribers;
    if (pending_.empty() && published_ - slowest <= plan_.window / 2) {
      while (published_ < plan_.messages && published_ - slowest < plan_.window) {
        pending_ += message_;
        ++published_;
      }
    }
    while (!pending_.empty()) {
      const ssize_t count = ::write(publisher_, pending_.data(), pending_.size());
      if (count < 0) break;
      pending_.erase(0, static_cast<std::size_t>(count));
      while (::read(publisher_, answers.data(), answers.size()) > 0) {
      }
    }
  }

  fanout::Wire& wire_;
  Plan plan_;
  int epoll_;
  int publisher_ = -1;
  std::vector<std::unique_ptr<Subscriber>> subscribers_;
  std::string message_;
  std::string pending_;
  std::uint64_t published_ = 0;
  std::uint64_t bytes_ = 0;
  Clock::time_point ticked_;
  Clock::time_point progress_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 8) return 2;
  const auto number = [argv](int i) { return std::strtoul(argv[i], nullptr, 10); };
  try {
    const auto wire = fanout::make_wire(argv[1], static_cast<std::uint16_t>(number(2)),
                                        static_cast<int>(number(7)));
    Load load(*wire, {number(3), number(4), number(5), number(6)});
    load.subscribe();
    std::puts("ready");
    std::fflush(stdout);
    if (std::getchar() == EOF) return 1;
    std::printf("%.6f\n", load.run());
    std::fflush(stdout);
    while (std::getchar() != EOF) {
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fanout_load: %s\n", error.what());
    return 1;
  }
  return 0;
}
