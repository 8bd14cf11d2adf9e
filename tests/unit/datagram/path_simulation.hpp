// A bottleneck with a buffer, and flows that share it, in simulated time: sessions steered by a
// CongestionController, and a TCP stream that follows RFC 9438. Seeded, so that each run is the
// same.
#pragma once

#include "datagram/congestion.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <vector>

namespace netkit::datagram::test {

using std::chrono::milliseconds;

inline double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}
inline Duration from_seconds(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

class Events {
 public:
  TimePoint now{std::chrono::hours(1)};
  void at(TimePoint when, std::function<void()> what) {
    queue_.push({std::max(when, now), next_++, std::move(what)});
  }
  void run(double span) {
    const TimePoint end = now + from_seconds(span);
    while (!queue_.empty() && queue_.top().when <= end) {
      const Event event = queue_.top();
      queue_.pop();
      now = event.when;
      event.what();
    }
    now = end;
  }

 private:
  struct Event {
    TimePoint when;
    std::uint64_t number;
    std::function<void()> what;
    bool operator<(const Event& other) const {
      return when != other.when ? when > other.when : number > other.number;
    }
  };
  std::priority_queue<Event> queue_;
  std::uint64_t next_ = 0;
};

// Tail-drop, as `tbf rate R latency 100ms`; behind it a part may be lost at random.
struct Bottleneck {
  Bottleneck(Events& all, double bits_per_second, Duration latency = milliseconds(100))
      : events(all) {
    set_rate(bits_per_second, latency);
  }
  void set_rate(double bits_per_second, Duration latency = milliseconds(100)) {
    rate = bits_per_second / 8;
    buffer = rate * seconds(latency) + 15'000;
  }
  bool send(double size, Duration delay, std::function<void()> arrive) {
    ++offered;
    busy_until = std::max(busy_until, events.now);
    const double waiting = seconds(busy_until - events.now) * rate;
    queue_sum += waiting / rate;
    if (waiting + size > buffer) {
      ++dropped;
      return false;
    }
    busy_until += from_seconds(size / rate);
    carried += size;
    if (std::uniform_real_distribution<double>(0, 1)(random) >= loss) {
      events.at(busy_until + delay, std::move(arrive));
    }
    return true;
  }
  void reset() { carried = queue_sum = offered = dropped = 0; }
  double used(double span) const { return carried / span / rate; }
  double mean_queue() const { return queue_sum / std::max(offered, 1.0); }
  double drop_rate() const { return dropped / std::max(offered, 1.0); }

  Events& events;
  double rate = 0;  // bytes a second
  double buffer = 0;
  double loss = 0;
  TimePoint busy_until{};
  double carried = 0;
  double queue_sum = 0;
  double offered = 0;
  double dropped = 0;
  std::mt19937_64 random{7};
};

// A session that always has something to send, with SendSide's way to notice a loss.
class Session {
 public:
  Session(Events& events, Bottleneck& link, Duration rtt, CongestionController::Path known,
          double max_window = 1024)
      : controller(known, max_window), events_(events), link_(link), rtt_(rtt) {}
  void start() { send(); }

  CongestionController controller;
  double delivered = 0;  // bytes

 private:
  static constexpr double kSize = 1228;

  void send() {
    while (sent_.size() < controller.window() && next_ <= events_.now) {
      const std::uint64_t order = ++order_;
      sent_[order] = events_.now;
      controller.on_sent(order, events_.now);
      const Duration pause = controller.interval();
      const Duration burst =
          pause == Duration{} ? pause : std::max<Duration>(2 * pause, milliseconds(2));
      next_ = std::max(next_, events_.now - burst) + pause;
      link_.send(kSize, rtt_ / 2, [this, order] {
        delivered += kSize;
        events_.at(events_.now + rtt_ / 2, [this, order] { acknowledge(order); });
      });
    }
    if (sent_.size() < controller.window() && !paced_) {
      paced_ = true;
      events_.at(next_, [this] {
        paced_ = false;
        send();
      });
    }
    if (!watched_) {
      watched_ = true;
      events_.at(events_.now + milliseconds(20), [this] {
        watched_ = false;
        check_timeout();
        send();
      });
    }
  }
  void check_timeout() {
    const Duration usual = smoothed_ == Duration{} ? Duration(milliseconds(250))
                                                   : smoothed_ * 3 / 2 + milliseconds(15);
    const Duration timeout = std::min<Duration>(
        std::max<Duration>(usual, milliseconds(50)) * (1 << backed_off_), std::chrono::seconds(1));
    std::uint32_t lost = 0;
    while (!sent_.empty() && events_.now - sent_.begin()->second > timeout) {
      late_.insert(*sent_.begin());
      sent_.erase(sent_.begin());
      ++lost;
    }
    while (late_.size() > 2000) late_.erase(late_.begin());
    if (lost == 0) return;
    controller.on_lost(lost);
    if (++backed_off_ == 2) controller.on_timeout();
    backed_off_ = std::min(backed_off_, 4);
  }
  void acknowledge(std::uint64_t order) {
    auto& from = sent_.contains(order) ? sent_ : late_;
    const auto found = from.find(order);
    if (found == from.end()) return;
    const Duration rtt = events_.now - found->second;
    from.erase(found);
    backed_off_ = 0;
    smoothed_ = smoothed_ == Duration{} ? rtt : smoothed_ + (rtt - smoothed_) / 8;
    std::uint32_t lost = 0;
    const Duration patience = smoothed_ + std::max<Duration>(smoothed_ / 4, milliseconds(1));
    for (auto at = sent_.begin(); at != sent_.end() && at->first < order;) {
      const bool gone = events_.now - at->second > patience;
      lost += gone;
      at = gone ? sent_.erase(at) : std::next(at);
    }
    if (lost > 0) controller.on_lost(lost);
    controller.on_acked(1, order, rtt, true, events_.now);
    send();
  }

  Events& events_;
  Bottleneck& link_;
  Duration rtt_;
  std::map<std::uint64_t, TimePoint> sent_;
  std::map<std::uint64_t, TimePoint> late_;  // taken for lost
  std::uint64_t order_ = 0;
  TimePoint next_{};
  Duration smoothed_{};
  int backed_off_ = 0;
  bool paced_ = false;
  bool watched_ = false;
};

// TCP with CUBIC and SACK, roughly.
class Tcp {
 public:
  Tcp(Events& events, Bottleneck& link, Duration rtt) : events_(events), link_(link), rtt_(rtt) {}
  void start() { send(); }
  double delivered = 0;

 private:
  void send() {
    while (static_cast<double>(sent_.size()) < window_) {
      const std::uint64_t order = ++order_;
      sent_[order] = events_.now;
      link_.send(1514, rtt_ / 2, [this, order] {
        delivered += 1448;
        events_.at(events_.now + rtt_ / 2, [this, order] { acknowledge(order); });
      });
    }
    if (watched_) return;
    watched_ = true;
    events_.at(events_.now + milliseconds(50), [this] {
      watched_ = false;
      const Duration timeout = std::max<Duration>(3 * smoothed_, milliseconds(250));
      const std::size_t before = sent_.size();
      while (!sent_.empty() && events_.now - sent_.begin()->second > timeout) {
        sent_.erase(sent_.begin());
      }
      if (sent_.size() != before) reduce();
      send();
    });
  }
  void acknowledge(std::uint64_t order) {
    const auto found = sent_.find(order);
    if (found == sent_.end()) return;
    const Duration rtt = events_.now - found->second;
    smoothed_ = smoothed_ == Duration{} ? rtt : smoothed_ + (rtt - smoothed_) / 8;
    sent_.erase(found);
    bool lost = false;
    while (!sent_.empty() && sent_.begin()->first + 3 < order) {
      sent_.erase(sent_.begin());
      lost = true;
    }
    if (lost) {
      reduce();
    } else {
      grow();
    }
    send();
  }
  void reduce() {
    if (events_.now < recovered_) return;
    plateau_ = window_;
    window_ = threshold_ = reno_ = std::max(2.0, window_ * 0.7);
    epoch_ = events_.now;
    recovered_ = events_.now + smoothed_;
  }
  void grow() {
    if (window_ < threshold_) {
      window_ += 1;
      return;
    }
    const double t = seconds(events_.now - epoch_ + smoothed_);
    const double k = std::cbrt(plateau_ * 0.3 / 0.4);
    reno_ += 0.53 / window_;
    const double goal = std::max(0.4 * std::pow(t - k, 3) + plateau_, reno_);
    window_ += goal > window_ ? std::min((goal - window_) / window_, 0.5) : 0.01 / window_;
  }

  Events& events_;
  Bottleneck& link_;
  Duration rtt_;
  std::map<std::uint64_t, TimePoint> sent_;
  std::uint64_t order_ = 0;
  double window_ = 10;
  double threshold_ = 1e9;
  double plateau_ = 0;
  double reno_ = 0;
  TimePoint epoch_{};
  TimePoint recovered_{};
  Duration smoothed_{};
  bool watched_ = false;
};

}  // namespace netkit::datagram::test
