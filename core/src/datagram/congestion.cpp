#include "datagram/congestion.hpp"

#include <cmath>

namespace netkit::datagram {
namespace {

using std::chrono::milliseconds;

constexpr double kProducts = 2;   // on the way
constexpr double kTry = 1.25;     // more than is known to be delivered, for a round
constexpr double kDrain = 0.75;   // in the round after it
constexpr double kLook = 0.25;    // while the path is looked at
constexpr double kStarved = 0.7;  // of what was delivered before
constexpr double kYield = 0.85;   // of the window, where more was lost
constexpr double kLossWithQueue = 0.02;
constexpr double kHeavyLoss = 0.3;
constexpr double kMostRandom = 0.22;           // loss that is made up for
constexpr Duration kQueue = milliseconds(12);  // that is one
constexpr Duration kLookEvery = std::chrono::seconds(5);
constexpr Duration kLookFor = milliseconds(100);
constexpr Duration kNotPaced = milliseconds(2);
// As long as no queue was seen, there is nothing to be gained by less than makes a good batch.
constexpr Duration kLan = milliseconds(1);
constexpr double kLanWindow = 64;

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

CongestionController::CongestionController(const Path& known, double max_window)
    : max_window_(max_window),
      window_(std::clamp(known.window, 1.0, max_window)),
      ceiling_(max_window),
      base_(known.base) {}

void CongestionController::on_sent(std::uint64_t order, TimePoint now) {
  newest_ = order;
  if (round_.begin != TimePoint{}) return;
  round_.begin = now;
  looked_ = now.time_since_epoch() / kLookEvery;
  round_.end = order;
  // Sessions that began together do not try more together.
  phase_ = static_cast<std::uint8_t>(now.time_since_epoch() / milliseconds(1) % kRounds);
}

void CongestionController::on_acked(std::uint32_t count, std::uint64_t order, Duration rtt,
                                    bool limited, TimePoint now) {
  if (rtt > Duration{}) {
    if (base_ == Duration{} || rtt < base_) base_ = rtt;
    smoothed_ = smoothed_ == Duration{} ? rtt : smoothed_ + (rtt - smoothed_) / 8;
    round_.least = round_.samples++ == 0 ? rtt : std::min(round_.least, rtt);
    if (mode_ == Mode::look) look_least_ = std::min(look_least_, rtt);
  }
  round_.acked += count;
  round_.limited = round_.limited || limited;
  if (mode_ == Mode::start && limited)
    window_ = std::min(window_ + count, std::min(ceiling_, max_window_));
  if (order >= round_.end && round_.begin != TimePoint{}) end_round(now);
}

void CongestionController::end_round(TimePoint now) {
  const double took = std::max(seconds(now - round_.begin), 1e-5);
  const double rate = round_.acked / took;
  const bool known = round_.samples > 0;
  const Duration queue = known ? round_.least - base_ : Duration{};
  if (known) queued_ = queue > std::max(kQueue, base_ / 4);
  clear_ = clear_ && !queued_ && round_.lost == 0;
  learn_rate(rate, round_.limited);
  judge_loss(rate, queue);
  step(queue, now);
  set_window();
  round_ = {.begin = now, .end = newest_ + 1};
}

// What was sent although there was more room says nothing of the path, unless it is more than was
// known.
void CongestionController::learn_rate(double rate, bool limited) {
  if (mode_ == Mode::look) return;
  if (!limited && rate < rate_) return;
  std::shift_right(rates_.begin(), rates_.end(), 1);
  rates_.front() = static_cast<float>(rate);
  rate_ = *std::max_element(rates_.begin(), rates_.end());
  most_rate_ = std::max(most_rate_, rate_);
}

void CongestionController::judge_loss(double rate, Duration) {
  const double sent = round_.lost + round_.acked;
  const double lost = round_.lost / std::max(sent, 1.0);
  loss_ += (lost - loss_) * std::min(sent / 64, 0.5);
  const bool heavy = loss_ > kHeavyLoss;
  if ((queued_ && loss_ > kLossWithQueue && round_.lost > 0) || heavy) {
    ceiling_ = std::max(std::min(ceiling_, window_) * kYield, 1.0);
    if (heavy || lost > kHeavyLoss) {
      rates_.fill(0);
      rates_.front() = static_cast<float>(rate);
      rate_ = rate;
    }
    if (heavy) loss_ = kMostRandom;
    if (mode_ == Mode::start) mode_ = Mode::drain;
  } else if (round_.limited) {
    ceiling_ = std::min(ceiling_ * (queued_ ? 1.01 : 1.05) + (queued_ ? 0.01 : 0.25), max_window_);
  }
}

void CongestionController::step(Duration queue, TimePoint now) {
  switch (mode_) {
    case Mode::start: {
      if (!round_.limited) break;
      const bool grew = rate_ >= 1.25 * rate_before_;
      flat_rounds_ = grew ? std::uint8_t{0} : static_cast<std::uint8_t>(flat_rounds_ + 1);
      if (grew) rate_before_ = rate_;
      if (flat_rounds_ >= (queued_ ? 2 : 3)) mode_ = Mode::drain;
      break;
    }
    case Mode::drain:
      if (queue < kQueue / 2 || ++flat_rounds_ > 6) {
        mode_ = Mode::steady;
        rate_before_ = rate_;
      }
      break;
    case Mode::steady:
      phase_ = static_cast<std::uint8_t>((phase_ + 1) % kRounds);
      if (phase_ == 2) {  // what was tried has come back
        const bool more = rate_ > 1.15 * rate_before_ && !queued_ && round_.limited;
        grown_ = more ? static_cast<std::uint8_t>(grown_ + 1) : std::uint8_t{0};
        if (grown_ == 2) {  // there is much more room
          mode_ = Mode::start;
          flat_rounds_ = grown_ = 0;
        }
        rate_before_ = rate_;
      }
      if (now.time_since_epoch() / kLookEvery != looked_) begin_look(queue, now);
      break;
    case Mode::look:
      if (now < look_end_) break;
      end_look();
      break;
  }
}

void CongestionController::begin_look(Duration queue, TimePoint now) {
  // Sessions of one machine look together, as each would see the queue of the others.
  looked_ = now.time_since_epoch() / kLookEvery;
  mode_ = Mode::look;
  look_least_ = Duration::max();
  queue_before_ = queue;
  look_end_ = now + std::max<Duration>(2 * smoothed_, kLookFor);
}

// Most of the queue is still there, and takes this session's share: it is of those who fill queues
// whatever others do, and has to be counted as part of the path.
void CongestionController::end_look() {
  mode_ = Mode::steady;
  const bool starved = rate_ < kStarved * most_rate_;
  most_rate_ *= 0.9;
  if (look_least_ == Duration::max()) return;
  const Duration left = look_least_ - base_;
  if (left > kQueue / 2 && (!starved || left < queue_before_ / 2)) return;
  base_ = look_least_;
}

void CongestionController::on_timeout() {
  rates_.fill(0);
  rate_ = rate_before_ = 0;
  window_ = 1;
  mode_ = Mode::start;
  flat_rounds_ = 0;
}

double CongestionController::product() const {
  return rate_ * seconds(base_);
}

void CongestionController::set_window() {
  if (mode_ == Mode::start || rate_ <= 0) return;
  double window = kProducts * product() + 1;  // the same for great and small
  if (mode_ == Mode::drain) window = product();
  if (mode_ == Mode::look) window = product() / 2;
  // What is lost has to be sent again meanwhile.
  if (!queued_) window /= 1 - std::min(loss_, kMostRandom);
  const bool idle_lan = clear_ && base_ < kLan;
  const double least = idle_lan ? kLanWindow : queued_ ? 1.0 : 2.0;
  window_ = std::min(std::max(std::min(window, ceiling_), least), max_window_);
}

double CongestionController::gain() const {
  if (mode_ == Mode::start) return 2;
  if (mode_ == Mode::drain) return kDrain;
  if (mode_ == Mode::look) return kLook;
  if (phase_ == 0) return kTry;
  return phase_ == 1 ? kDrain : 1;
}

std::size_t CongestionController::window() const {
  return static_cast<std::size_t>(std::lround(window_));
}

Duration CongestionController::interval() const {
  if (smoothed_ < kNotPaced) return {};
  double rate = gain() * (rate_ > 0 ? rate_ : window_ / seconds(smoothed_));
  if (mode_ == Mode::start) rate = std::max(rate, 2 * window_ / seconds(smoothed_));
  if (phase_ == 0 && mode_ == Mode::steady) rate = std::max(rate, rate_ + 1 / seconds(smoothed_));
  if (!queued_) rate /= 1 - std::min(loss_, kMostRandom);
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(1 / rate));
}

}  // namespace netkit::datagram
