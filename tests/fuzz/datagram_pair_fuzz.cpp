// A client and a server over a wire whose every decision is a byte of the input: pass, lose,
// double, delay, pause, or say something. After the input the wire is good, and then, unless the
// session was given up, everything said must have arrived once and in order.
#include "fuzz/script.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>

#include <netkit/datagram/client.hpp>
#include <netkit/datagram/server.hpp>

namespace {

using namespace netkit::datagram;      // NOLINT(google-build-using-namespace)
using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace)
using netkit::Endpoint;
using netkit::TimePoint;

// Says the numbers from 1 on, in order; the other side's listener checks that.
struct Listener {
  void hear(std::string_view text) {
    if (text != std::to_string(heard + 1)) std::abort();
    ++heard;
  }
  std::size_t heard = 0;
};

class Pair final : public Server::Handler, public Client::Handler {
 public:
  Pair(const std::uint8_t* data, std::size_t size)
      : data_(data),
        size_(size),
        server_(options(), netkit::fuzz::Dice(0), *this),
        client_(options(), address(1), netkit::fuzz::Dice(1U << 20U), *this) {}

  void run() {
    client_.connect("x", now_);
    for (int steps = 0; steps < 20000 && !over_; ++steps) {
      flush();
      if (at_ < size_) say();
      if (at_ >= size_) client_.resume(now_);
      if (at_ >= size_ && done()) return;
      step();
    }
    if (!over_) std::abort();
  }

 private:
  static Options options() {
    Options some;
    some.overflow = Overflow::keep_all;
    some.receive_window = 8;
    some.max_in_flight = 8;
    some.max_datagram = 256;
    some.connect_timeout = 60s;
    return some;
  }
  static Endpoint address(std::uint16_t port) {
    return Endpoint(*netkit::IpAddress::parse("10.0.0.1"), port);
  }
  unsigned decide() { return at_ < size_ ? data_[at_++] : 0; }
  bool done() const {
    return client_.connected() && up_.heard == up_said_ && down_.heard == down_said_ &&
           client_.unacknowledged() == 0;
  }

  void say() {
    const unsigned what = decide();
    if ((what & 3) == 1 && client_.can_send()) client_.send(std::to_string(++up_said_));
    if ((what & 3) == 2 && session_) server_.send(session_, std::to_string(++down_said_));
    if ((what & 15) == 3) client_.pause();
    if ((what & 15) == 7) client_.resume(now_);
  }
  void flush() {
    OutputQueue queue;
    server_.drain(queue, now_);
    for (const auto& item : queue.items()) carry(item);
    OutputQueue own;
    client_.drain(own, now_);
    for (const auto& item : own.items()) carry(item);
  }
  void carry(const OutputQueue::Item& item) {
    if (item.size() > 256) std::abort();
    const unsigned fate = decide();
    if ((fate & 7) == 1) return;
    std::string bytes = std::string(item.head) + std::string(item.body);
    const bool to_server = item.to->peer == address(1);
    if ((fate & 7) == 2) wire_.emplace(now_ + 1ms, std::pair(to_server, bytes));
    wire_.emplace(now_ + 1ms * (1 + (fate >> 4)), std::pair(to_server, std::move(bytes)));
  }
  void step() {
    TimePoint next = std::min(server_.next_deadline(), client_.next_deadline());
    if (!wire_.empty()) next = std::min(next, wire_.begin()->first);
    if (next == TimePoint::max()) std::abort();
    now_ = std::max(now_, next);
    while (!wire_.empty() && wire_.begin()->first <= now_) {
      const auto [to_server, bytes] = std::move(wire_.extract(wire_.begin()).mapped());
      if (to_server) {
        server_.on_datagram(address(2), bytes, now_);
      } else {
        client_.on_datagram(bytes, now_);
      }
    }
    server_.tick(now_);
    client_.tick(now_);
  }

  Verdict on_connect(SessionRef session, const Endpoint&, std::string_view) override {
    session_ = session;
    return Verdict::accept();
  }
  void on_message(SessionRef, std::uint64_t, std::string_view text) override { up_.hear(text); }
  void on_gap(SessionRef, const Gap&) override { std::abort(); }
  void on_left(SessionRef, LeftReason, std::string_view) override { over_ = true; }
  void on_connected(std::string_view) override {}
  void on_rejected(std::uint16_t, std::string_view) override { std::abort(); }
  void on_message(std::uint64_t, std::string_view text) override { down_.hear(text); }
  void on_gap(const Gap&) override { std::abort(); }
  void on_left(LeftReason, std::string_view) override { over_ = true; }

  const std::uint8_t* data_;
  std::size_t size_;
  std::size_t at_ = 0;
  Server server_;
  Client client_;
  SessionRef session_;
  TimePoint now_{std::chrono::hours(1)};
  std::multimap<TimePoint, std::pair<bool, std::string>> wire_;
  Listener up_;
  Listener down_;
  std::size_t up_said_ = 0;
  std::size_t down_said_ = 0;
  bool over_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4000) return 0;
  Pair(data, size).run();
  return 0;
}
