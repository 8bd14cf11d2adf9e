#include <algorithm>
#include <utility>

#include <netkit/loop/spin_policy.hpp>

namespace netkit {

Duration SpinPolicy::start(Phase phase) {
  phase_ = phase;
  dense_ = batches_ = caught_ = 0;
  messages_ = 0;
  elapsed_ = Duration::zero();
  return phase == Phase::trial || phase == Phase::run ? kSpins[level_] : Duration::zero();
}

void SpinPolicy::count(std::size_t size, Duration gap, bool polled) {
  ++batches_;
  if (polled) ++caught_;
  messages_ += size;
  elapsed_ += std::min(gap, 2 * kDense);  // longer when somebody else had the CPU
}

double SpinPolicy::interval() const {
  return static_cast<double>(elapsed_.count()) / static_cast<double>(messages_);
}

bool SpinPolicy::flood() const {
  return elapsed_ < kFlood * static_cast<Duration::rep>(messages_);
}

Duration SpinPolicy::on_watch(Duration gap) {
  // One that comes late, because another process had the CPU, does not make traffic thin.
  dense_ = gap <= kDense ? dense_ + 1 : dense_ / 2;
  if (dense_ == 0) return start(Phase::watch);
  if (dense_ < kTrialAfter) return Duration::zero();
  if (flood()) return start(Phase::watch);
  interval_before_ = interval();
  return start(Phase::trial);
}

// Polling that does not see the next request only takes CPU time from the program that sends it.
Duration SpinPolicy::after_trial() {
  if (flood()) return start(Phase::rest);
  if (caught_most() && interval() < kFaster * interval_before_) {
    reviews_ = 0;
    return start(Phase::run);
  }
  const bool thin = elapsed_ > kDense * static_cast<Duration::rep>(batches_);
  if (thin) return start(Phase::watch);
  if (++level_ < kSpins.size()) return start(Phase::trial);
  level_ = 0;
  return start(Phase::rest);
}

// A single failure may be due to another process; the next trial tells.
Duration SpinPolicy::after_review() {
  if (flood()) return start(Phase::rest);
  return start(caught_most() && ++reviews_ < kReviews ? Phase::run : Phase::watch);
}

Duration SpinPolicy::on_batch(std::size_t size, Duration gap, bool polled) {
  if (phase_ != Phase::rest && size > kSmall) return start(Phase::watch);
  count(size, gap, polled);
  switch (phase_) {
    case Phase::watch:
      return on_watch(gap);
    case Phase::trial:
      return batches_ < kReview ? kSpins[level_] : after_trial();
    case Phase::run:
      return batches_ < kReview ? kSpins[level_] : after_review();
    case Phase::rest:
      return batches_ < kRest ? Duration::zero() : start(Phase::watch);
  }
  return Duration::zero();
}

Spinner::Spinner(EventLoop& loop)
    : loop_(loop), last_(loop.now()), hook_(loop.before_wait([this] { end_turn(); })) {}

void Spinner::end_turn() {
  if (messages_ == 0) return;
  const TimePoint now = loop_.now();
  const std::uint64_t wakeups = loop_.counters().wakeups;
  loop_.set_spin(policy_.on_batch(std::exchange(messages_, 0), now - std::exchange(last_, now),
                                  wakeups == std::exchange(wakeups_, wakeups)));
}

}  // namespace netkit
