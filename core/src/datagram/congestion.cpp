#include "datagram/congestion.hpp"

#include <cmath>
#include <numeric>

namespace netkit::datagram {
namespace {

using std::chrono::milliseconds;

constexpr double kGrows = 1.05;  // a rate has grown if it is this many times what it was
constexpr double kTry = 1.25;    // times the known rate, to probe for more during one round
constexpr double kDrain = 0.75;  // in the round after that
constexpr double kLook = 0.5;    // during a look at the path
constexpr double kDeep = 0.125;  // the same if much is lost
constexpr double kYield = 0.85;  // times the window, after a loss with a full queue
constexpr double kYieldToOthers = 0.7;
constexpr int kOverflow = 5;    // round trips for which a queue that others have filled stays full
constexpr double kCubic = 0.4;  // datagrams a second^3
constexpr double kReno = 0.53;  // datagrams a round
constexpr double kHeavyLoss = 0.3;
constexpr int kAfterMark = 8;                  // rounds
constexpr double kMostRandom = 0.22;           // loss that is compensated for
constexpr Duration kQueue = milliseconds(12);  // a longer one counts as a queue
constexpr Duration kFree = milliseconds(2);    // a shorter one counts as none
// In flight beyond the bandwidth-delay product: kLeastQueue of the rate, and kShare times its
// square root, less if the queue is longer than kShort. A TCP stream of the same host keeps about a
// millisecond of the path's capacity in its local queue, and must find room.
constexpr Duration kLeastQueue = std::chrono::microseconds(500);
constexpr double kShare = 0.18;
constexpr Duration kShort = milliseconds(12);
// How many delayed acknowledgements in a row show a queue. Those that arrive together count as one:
// they may have waited for a busy host.
constexpr double kDraw = 0.5;  // of the distance to the group's mean window
constexpr int kLateOnes = 4;
constexpr Duration kTogether = milliseconds(2);

// Looking at the path. A longer remaining queue belongs to other senders. With a shorter one they
// hardly have three times what kShare allows. A session with a datagram or two in flight measures
// less precisely.
constexpr Duration kRivals = milliseconds(4);
constexpr Duration kRivalsOfFew = milliseconds(6);
constexpr Duration kClear = milliseconds(3);  // no queue remains
constexpr double kTheirPart =
    0.6;  // in what is aimed at, as both are seen while this one has yielded
constexpr Duration kLookEvery = std::chrono::seconds(3);
constexpr Duration kLookFor = milliseconds(50);
constexpr Duration kLate = milliseconds(30);
constexpr int kTurns = 4;        // a session that rarely sends probes in one of this many looks
constexpr double kForget = 0.8;  // times the highest rate, at each look
constexpr double kLossy = 0.05;  // with more loss, looks are more frequent and deeper
constexpr Duration kLookOften = std::chrono::seconds(1);
constexpr int kFruitless = 5;
constexpr unsigned kSamples = 4;  // needed to estimate the jitter
constexpr Duration kMostJitter = milliseconds(30);

constexpr Duration kNotPaced = milliseconds(2);
constexpr double kFew = 16;    // smaller windows are enforced by pacing
constexpr double kSome = 4;    // smaller windows do not probe for more room
constexpr double kMany = 128;  // larger windows override a lower pace
// As long as no queue has been seen, a window smaller than a good batch gains nothing.
constexpr Duration kLan = milliseconds(1);
constexpr double kLanWindow = 64;
constexpr double kLeastWindow = 0.3;  // one datagram in some round trips

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

CongestionController::CongestionController(const Path& known, double max_window)
    : max_window_(max_window),
      window_(std::clamp(known.window, kLeastWindow, max_window)),
      ceiling_(max_window),
      part_(known.group),
      floor_(known.base) {}

void CongestionController::on_sent(std::uint64_t order, TimePoint now) {
  newest_ = order;
  on_timer(now);
  if (now >= look_from_) probing_ = false;
  if (mode_ == Mode::start && rate_ <= 0) part_.set_start(true);
  if (round_.begin != TimePoint{}) return;
  round_.begin = now;
  round_.end = order;
  turn_ = static_cast<std::uint8_t>(now.time_since_epoch() / milliseconds(1) % kTurns);
  // Sessions that began together should not probe for more together.
  phase_ =
      static_cast<std::uint8_t>(now.time_since_epoch() / milliseconds(1) % std::int64_t{kRounds});
}

void CongestionController::on_acked(std::uint32_t count, std::uint64_t order, Duration rtt,
                                    bool limited, TimePoint now) {
  if (rtt > Duration{}) {
    floor_.add(rtt, now);
    smoothed_ = smoothed_ == Duration{} ? rtt : smoothed_ + (rtt - smoothed_) / 8;
    round_.least = round_.samples++ == 0 ? rtt : std::min(round_.least, rtt);
    note_look(rtt, now);
  }
  round_.acked += count;
  round_.limited = round_.limited || limited;
  on_timer(now);
  if (mode_ == Mode::start && rtt > Duration{}) {
    // Like HyStart (RFC 9406): react before the queue is full, not a round after.
    const bool late = rtt - base() > std::max(kQueue, base() / 4) + jitter_;
    if (!late) late_ = 0;
    if (late && now - late_at_ >= kTogether) {
      late_at_ = now;
      if (++late_ >= kLateOnes) begin_drain();
    }
  }
  if (mode_ == Mode::start) {
    window_ = current_window();
    if (limited) window_ = std::min(window_ + count, std::min(ceiling_, max_window_));
  }
  if (order >= round_.end && round_.begin != TimePoint{}) end_round(now);
}

void CongestionController::end_round(TimePoint now) {
  const double took = std::max(seconds(now - round_.begin), 1e-5);
  const double rate = round_.acked / took;
  queue_before_ = queue_;
  if (round_.samples > 0) {
    queue_ = round_.least - base();
  } else if (round_.unsure > Duration{}) {
    queue_ = std::max(round_.unsure - base(), Duration{});
  }
  blind_rounds_ = round_.samples > 0 ? 0 : blind_rounds_ + 1;
  queued_ = queue_ > std::max(kQueue, base() / 4) + jitter_;
  clear_ = clear_ && !queued_ && round_.lost == 0;
  learn_rate(rate);
  part_.set_start(false);
  judge_loss(rate, now);
  step();
  set_window();
  const bool counts = round_.limited && mode_ != Mode::start;
  part_.set(counts ? window_ : 0, counts ? smoothed_ : Duration{});
  round_ = {.begin = now, .end = newest_ + 1};
}

// The rate of a round that was not limited says nothing about the path, unless it exceeds the known
// one.
void CongestionController::learn_rate(double rate) {
  if (mode_ == Mode::look) return;
  if (!round_.limited && rate < rate_) return;
  std::shift_right(rates_.begin(), rates_.end(), 1);
  rates_.front() = static_cast<float>(rate);
  rate_ = *std::max_element(rates_.begin(), rates_.end());
  // With a datagram or two per round the maximum is an accident: use the mean as well.
  const bool few = window_ < kSome && mode_ == Mode::steady && rates_.back() > 0;
  if (few) rate_ = (rate_ + std::accumulate(rates_.begin(), rates_.end(), 0.0) / kRounds) / 2;
}

// The window that competing CUBIC senders would have by now (RFC 9438, section 4.2).
double CongestionController::cubic(TimePoint now) const {
  const double until = std::cbrt(yielded_from_ * (1 - kYieldToOthers) / kCubic);
  return yielded_from_ + kCubic * std::pow(seconds(now - yielded_at_) - until, 3);
}

void CongestionController::judge_loss(double rate, TimePoint now) {
  const double sent = round_.lost + round_.acked;
  // During a look, losses are still those of the larger window before.
  const bool of_many = mode_ == Mode::look && window_before_ >= kFew;
  const double lost = of_many ? loss_ : round_.lost / std::max(sent, 1.0);
  loss_ += (lost - loss_) * std::min(sent / 64, 0.5);
  const bool heavy = loss_ > kHeavyLoss;
  if (marked_ > 0) --marked_;
  if (round_.marked) marked_ = kAfterMark;
  const bool full = round_.marked || (queued_ && loss_ > kLossWithQueue && round_.lost > 0);
  if (held_ > 0 && full && now - yielded_at_ < kOverflow * smoothed_) {
    // Part of the same overflow.
  } else if (full || heavy) {
    yielded_at_ = now;
    yielded_from_ = std::min(ceiling_, mode_ == Mode::look ? window_before_ : window_);
    const double yield = held_ > 0 ? kYieldToOthers : kYield;
    ceiling_ = std::max(yielded_from_ * yield, kLeastWindow);
    if (heavy || lost > kHeavyLoss) {
      rates_.fill(0);
      rates_.front() = static_cast<float>(rate);
      rate_ = rate;
    }
    if (heavy) loss_ = kMostRandom;
    if (mode_ == Mode::start) begin_drain();
  } else if (held_ > 0) {
    ceiling_ = std::min(std::max(cubic(now), ceiling_ + kReno), max_window_);
  } else if (round_.limited) {
    const bool slowly = queued_ || marked_ > 0;
    const double grow = queued_ ? 1.01 : marked_ > 0 ? 1.02 : kTry;
    ceiling_ = std::min(ceiling_ * grow + (slowly ? 0.02 : 1), max_window_);
  }
}

void CongestionController::step() {
  switch (mode_) {
    case Mode::start: {
      if (queued_) return begin_drain();
      if (!round_.limited) break;
      const bool grew = rate_ >= 1.25 * rate_before_;
      flat_rounds_ = grew ? std::uint8_t{0} : static_cast<std::uint8_t>(flat_rounds_ + 1);
      if (grew) rate_before_ = rate_;
      if (flat_rounds_ >= 3) begin_drain();
      break;
    }
    case Mode::drain:
      if (queue_ < kQueue / 2 || ++flat_rounds_ > 3) {
        mode_ = Mode::steady;
        rate_before_ = rate_;
      }
      break;
    case Mode::steady:
      step_steady();
      break;
    case Mode::look:
      break;
  }
}

void CongestionController::begin_drain() {
  mode_ = Mode::drain;
  start_rate_ = rate_;
  flat_rounds_ = 0;
  late_ = 0;
}

void CongestionController::step_steady() {
  // A little more at first, as there may be no room; then doubled each time, as there may be a lot.
  const bool room = free() && round_.limited;
  const double most = rate_ > kGrows * rate_before_ ? product() * (kTry - 1)
                                                    : rate_ * seconds(lossy() ? 2 * kFree : kFree);
  more_ = room ? std::min(std::max(2 * more_, 1.0), most) : more_ / 2;
  phase_ = static_cast<std::uint8_t>((phase_ + 1) % kRounds);
  if (phase_ == 2) {  // the probe's acknowledgements are back
    // One of many that sends into a queue which all have just left sees a high rate by chance.
    const bool by_chance = window_ < kFew && part_.many();
    const bool more = rate_ > 1.15 * std::max(rate_before_, start_rate_) && !queued_ &&
                      blind_rounds_ == 0 && round_.limited && !by_chance;
    grown_ = more ? static_cast<std::uint8_t>(grown_ + 1) : std::uint8_t{0};
    if (grown_ > (loss_ > kLossWithQueue ? 1 : 0)) {  // there is much more room
      mode_ = Mode::start;
      flat_rounds_ = grown_ = 0;
    }
    rate_before_ = rate_;
  }
}

// All sessions of a machine look at the same time, since otherwise each would see the queue of the
// others. For the same reason a session that is late skips a look: the others have resumed.
void CongestionController::on_timer(TimePoint now) {
  if (mode_ == Mode::look && now >= look_end_) return end_look();
  if (now < next_look_) return;
  const bool late = now - next_look_ > kLate;
  together_ = next_look_.time_since_epoch() % kLookEvery == Duration{};
  const Duration every = doubtful() ? kLookOften : kLookEvery;
  next_look_ = TimePoint((now.time_since_epoch() / every + 1) * every);
  ++looks_;
  if ((mode_ != Mode::start || doubtful()) && !late) begin_look(now);
}

void CongestionController::begin_look(TimePoint now) {
  mode_ = Mode::look;
  look_ = static_cast<std::uint64_t>(now.time_since_epoch() / kLookEvery);
  judging_ = true;
  floor_before_ = base();
  look_least_ = Duration::max();
  look_sum_ = {};
  look_samples_ = 0;
  // A session that rarely sends would not sample the path in time, so it sends a probe. If all of
  // many did so at once, they would see each other, so they take turns.
  probing_ = window_ >= 1 || starved() || (looks_ + turn_) % kTurns == 0;
  round_trip_before_ = smoothed_;
  window_before_ = window_;
  const Duration queue = smoothed_ - base();
  look_from_ = now + queue * 3 / 2;
  look_end_ = look_from_ + base() + kLookFor;
  set_window();
}

void CongestionController::end_look() {
  mode_ = Mode::steady;
  probing_ = false;
  window_ = window_before_;
  set_window();
}

// Acknowledgements of what was sent during the look arrive a little later.
void CongestionController::note_look(Duration rtt, TimePoint now) {
  if (!judging_) return;
  const TimePoint sent = now - rtt;
  if (sent >= look_from_ && sent < look_end_) {
    look_least_ = std::min(look_least_, rtt);
    if (together_) part_.see(look_, rtt);
    look_sum_ += rtt;
    ++look_samples_;
  }
  if (sent < look_end_) return;
  judging_ = false;
  const bool lower = look_least_ < floor_before_ * 19 / 20;
  fruitless_ = lower || loss_ <= kLossy ? 0 : std::min(fruitless_ + 1, kFruitless);
  if (look_samples_ > 0 && together_) judge_look();
  // Delay without a queue is jitter: busy hosts, or radio.
  const bool clear = look_samples_ >= kSamples && look_least_ < base() + kClear;
  const Duration more = clear ? look_sum_ / look_samples_ - base() : Duration{};
  if (held_ == 0) jitter_ += (std::min(more, kMostJitter) - jitter_) / (clear ? 2 : 4);
  most_rate_ = std::max(most_rate_ * kForget, rate_);
  start_rate_ *= kForget;
  if (mode_ == Mode::steady) set_window();
}

void CongestionController::judge_look() {
  // Their data in flight relates to this session's as the remaining round trip relates to the part
  // that has gone.
  const Duration least = part_.many() ? part_.seen(look_) : look_least_;
  const double left = seconds(least);
  const double gone = std::max(seconds(round_trip_before_) - left, left / 50);
  const double theirs = window_before_ * left / gone;
  // A rate that changes in leaps cannot be estimated well; half of the highest known rate is a safe
  // lower bound.
  const double half = most_rate_ * seconds(round_trip_before_) / 2;
  const double even = std::pow(window_before_, 1 - kTheirPart) * std::pow(theirs, kTheirPart);
  const double wanted =
      starved() && loss_ < kLossWithQueue
          ? std::max(even, half)
          : std::clamp(even, window_before_ / 8, std::max(window_before_ * 3, half));
  const Duration queue = least - base();
  const bool much = window_before_ >= kFew || queue > (round_trip_before_ - base()) * 7 / 10;
  const Duration rivals = std::max(window_before_ < kSome ? kRivalsOfFew : kRivals, base() / 8);
  const bool others = queue > rivals && much;
  // A single sample may have been delayed elsewhere; samples of several sessions were hardly all
  // delayed.
  const bool sure = held_ > 0 || (part_.many() ? part_.seen(look_ - 1) > base() + rivals
                                               : window_before_ >= kFew || others_before_ ||
                                                     (starved() && loss_ < kLossWithQueue));
  others_before_ = others;
  if (others && !sure) return;
  if (others) {
    held_ = std::min(std::max(wanted, held_ == 0 ? held_before_ : 0), max_window_);
    // Earlier losses are no reason to take less than an equal share.
    if (held_ > ceiling_) ceiling_ = yielded_from_ = held_;
    alone_looks_ = 0;
  } else if (held_ > 0) {
    held_before_ = held_;
    alone_looks_ = std::min(alone_looks_ + 1, 4);
    held_ = std::min(wanted, held_ * (1 - 0.035 * (1 << alone_looks_)));
    if (held_ < rate_ * seconds(base()) + spare()) held_ = 0;
  }
}

void CongestionController::on_marked() {
  round_.marked = true;
  if (mode_ == Mode::start) begin_drain();
}

void CongestionController::on_timeout() {
  rates_.fill(0);
  rate_ = rate_before_ = 0;
  window_ = 1;
  mode_ = Mode::start;
  flat_rounds_ = 0;
}

// Loss may be due to a full buffer even if no round trip without its queue was ever seen.
bool CongestionController::doubtful() const {
  return loss_ > kLossy && fruitless_ < kFruitless;
}

// Without a queue there may be more room.
bool CongestionController::free() const {
  return window_ >= kSome && held_ == 0 && marked_ == 0 && blind_rounds_ == 0 &&
         std::min(queue_, queue_before_) < kFree + (lossy() ? jitter_ : jitter_ / 4);
}

double CongestionController::product() const {
  return rate_ * seconds(base());
}

double CongestionController::spare() const {
  const double queue = std::max(seconds(smoothed_ - base() - jitter_), 1e-3);
  return rate_ * seconds(kLeastQueue + jitter_) +
         kShare * std::sqrt(rate_) * std::sqrt(std::min(seconds(kShort) / queue, 1.0));
}

// Whether the sessions on the same path seem to share a queue.
bool CongestionController::alike() const {
  const Duration mean = part_.mean_rtt();
  return mean > smoothed_ / 2 && mean < smoothed_ * 2;
}

double CongestionController::drawn_near(double window) const {
  const bool same = queue_ > kQueue / 2 + jitter_ && alike();
  return same ? window + (part_.mean() - window) * kDraw : window;
}

void CongestionController::set_window() {
  if (mode_ == Mode::start || rate_ <= 0) return;
  double window = product() + spare();
  if (mode_ == Mode::steady) window += more_;
  if (mode_ == Mode::drain) window = std::max(product(), window / 2);
  if (mode_ == Mode::look) window = product() * (doubtful() ? kDeep : kLook);
  if (mode_ == Mode::steady) window = drawn_near(std::max(window, held_));
  // Allows for retransmissions, and for the quarter of a round trip that it takes to detect a loss.
  const double lost = queued_ ? 0 : std::min(loss_, kMostRandom);
  window *= (window >= kFew ? 1 + lost / 4 : 1) / (1 - lost);
  const bool idle_lan = clear_ && base() < kLan;
  const double least = idle_lan ? kLanWindow : kLeastWindow;
  window_ = std::min(std::max(std::min(window, ceiling_), least), max_window_);
}

double CongestionController::gain() const {
  if (mode_ == Mode::start) return 2;
  if (mode_ == Mode::drain) return kDrain;
  if (mode_ == Mode::look) return kLook / 2;
  if (phase_ == 0 || more_ > 0) return std::max(kTry, 1 + more_ / product());
  return phase_ == 1 ? kDrain : 1;
}

// Of a path of which nothing is known yet, all that begin together take no more than one would:
// after a restart of the server they come back at once.
double CongestionController::current_window() const {
  if (mode_ != Mode::start || rate_ > 0 || part_.starting() == 1) return window_;
  return std::min(window_, std::max(kInitialWindow / part_.starting(), 1.0));
}

std::size_t CongestionController::window() const {
  return static_cast<std::size_t>(std::ceil(current_window()));
}

Duration CongestionController::interval() const {
  if (smoothed_ < kNotPaced && window_ >= 1) return {};
  const double full = window_ / seconds(smoothed_);
  double rate = rate_ > 0 ? gain() * rate_ : full;
  if (mode_ == Mode::start) rate = 2 * std::max(rate_, full);
  if (mode_ == Mode::steady)
    rate = held_ > 0 ? 2 * full : std::max(rate, rate_ + 1 / seconds(smoothed_));
  // Large and small windows converge by the window, so the pace must not hold large ones back.
  if (mode_ == Mode::steady && phase_ != 1 && window_ >= kMany) rate = std::max(rate, full);
  if (!queued_) rate /= 1 - std::min(loss_, kMostRandom);
  if (window_ < kFew && mode_ != Mode::start) {
    // Among many sessions with a datagram or two, round trips differ by chance.
    rate = alike() ? window_ / seconds(part_.mean_rtt()) : full;
  }
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(1 / rate));
}

}  // namespace netkit::datagram
