// The system's clock, which a test may move ahead.
#pragma once

#include <netkit/util/clock.hpp>

namespace netkit::test {

class HastyClock final : public Clock {
 public:
  TimePoint now() const override { return system_.now() + ahead_; }
  WallTime wall() const override { return system_.wall() + ahead_; }
  void advance(Duration by) { ahead_ += by; }

 private:
  SystemClock system_;
  Duration ahead_{};
};

}  // namespace netkit::test
