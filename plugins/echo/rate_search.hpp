// The search for the highest rate that a server sustains.
#pragma once

#include <optional>

namespace netkit::echo {

// Doubles the rate until a step fails, then halves what lies between the last that passed and the
// first that failed, until they are close. Pure. [one thread]
class RateSearch {
 public:
  // `first` > 0, in messages a second.
  explicit RateSearch(double first) : rate_(first) {}

  double rate() const { return rate_; }  // of the step to do now
  bool done() const { return done_; }
  // The highest rate that has passed; none when not even the lowest did.
  std::optional<double> highest() const { return passed_; }

  void judge(bool passed) {
    if (passed) {
      passed_ = rate_;
      if (rate_ >= kMost) done_ = true;
    } else {
      failed_ = rate_;
    }
    if (!failed_) {
      rate_ = passed_.value_or(rate_) * 2;
    } else if (passed_) {
      rate_ = (*passed_ + *failed_) / 2;
      done_ = *failed_ <= *passed_ * kClose;
    } else {
      rate_ = *failed_ / 2;
      done_ = rate_ < 1;
    }
  }

 private:
  static constexpr double kClose = 1.03;
  static constexpr double kMost = 1e9;

  double rate_;
  std::optional<double> passed_;
  std::optional<double> failed_;
  bool done_ = false;
};

}  // namespace netkit::echo
