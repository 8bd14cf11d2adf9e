// The round trip of a path without a queue.
#pragma once

#include <algorithm>

#include <netkit/util/clock.hpp>

namespace netkit::datagram {

// The shortest round trip of the last half minute to minute: a route may become longer. [one
// thread]
class PathFloor {
 public:
  explicit PathFloor(Duration known) : least_(known) {}
  void add(Duration rtt, TimePoint now) {
    if (now - begun_ > kHalf) {
      if (begun_ != TimePoint{}) before_ = least_;
      if (begun_ != TimePoint{}) least_ = {};
      begun_ = now;
    }
    if (least_ == Duration{} || rtt < least_) least_ = rtt;
  }
  Duration get() const {  // zero: not known
    if (before_ == Duration{}) return least_;
    return least_ == Duration{} ? before_ : std::min(before_, least_);
  }

 private:
  static constexpr Duration kHalf = std::chrono::seconds(30);
  Duration least_;     // since begun_
  Duration before_{};  // in the half before; zero: there was none
  TimePoint begun_{};
};

}  // namespace netkit::datagram
