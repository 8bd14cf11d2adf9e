// A cable between two network namespaces that delays and loses what it carries:
//
//   cable PID NAME PID NAME DELAY-MS LOSS-PERCENT
//
// makes a TUN device NAME in the namespace of each PID and prints `ready`. What is sent by the one
// comes out of the other after the delay; of what the first sends a part is lost, by a seed.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <random>
#include <sched.h>
#include <string>
#include <sys/ioctl.h>
#include <unistd.h>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

int open_device(const std::string& pid, const char* name) {
  const int space = open(("/proc/" + pid + "/ns/net").c_str(), O_RDONLY | O_CLOEXEC);
  if (space < 0 || setns(space, CLONE_NEWNET) != 0) fail("setns");
  close(space);
  const int device = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (device < 0) fail("/dev/net/tun");
  ifreq request{};
  std::strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  if (ioctl(device, TUNSETIFF, &request) != 0) fail("TUNSETIFF");
  return device;
}

struct Packet {
  Clock::time_point due;
  std::vector<char> bytes;
};

struct Direction {
  int from;
  int to;
  double loss;
  std::deque<Packet> on_the_way{};
  std::mt19937_64 dice{11};

  void take(Clock::duration delay) {
    char bytes[65536];
    for (ssize_t size = 0; (size = read(from, bytes, sizeof bytes)) > 0;) {
      if (std::uniform_real_distribution<double>(0, 1)(dice) < loss) continue;
      on_the_way.push_back({Clock::now() + delay, {bytes, bytes + size}});
    }
  }
  void give() {
    while (!on_the_way.empty() && on_the_way.front().due <= Clock::now()) {
      const Packet& packet = on_the_way.front();
      if (write(to, packet.bytes.data(), packet.bytes.size()) < 0 && errno == EAGAIN) return;
      on_the_way.pop_front();
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fputs("usage: cable PID NAME PID NAME DELAY-MS LOSS-PERCENT\n", stderr);
    return 2;
  }
  const int first = open_device(argv[1], argv[2]);
  const int second = open_device(argv[3], argv[4]);
  const auto delay = std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double, std::milli>(std::atof(argv[5])));
  Direction there{first, second, std::atof(argv[6]) / 100};
  Direction back{second, first, 0};
  std::puts("ready");
  std::fflush(stdout);
  while (true) {
    Clock::time_point due = Clock::now() + std::chrono::seconds(1);
    for (const Direction* way : {&there, &back}) {
      if (!way->on_the_way.empty()) due = std::min(due, way->on_the_way.front().due);
    }
    const auto wait = std::max(due - Clock::now(), Clock::duration::zero());
    const timespec timeout{0, std::chrono::nanoseconds(wait).count() % 1'000'000'000};
    pollfd devices[] = {{first, POLLIN, 0}, {second, POLLIN, 0}};
    if (ppoll(devices, 2, &timeout, nullptr) < 0 && errno != EINTR) fail("ppoll");
    for (Direction* way : {&there, &back}) {
      way->take(delay);
      way->give();
    }
  }
}
