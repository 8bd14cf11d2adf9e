// Time as netkit counts it. Protocol logic takes time points as arguments and never asks a clock
// itself.
#pragma once

#include <chrono>

#include <netkit/util/export.hpp>

namespace netkit {

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;  // for intervals
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;   // for people

// A duration option's `none`: never.
inline constexpr Duration kNever = Duration::max();

// `time + delay`, where kNever (and whatever would overflow) stays the last time point there is.
constexpr TimePoint saturating_add(TimePoint time, Duration delay) {
  if (delay >= TimePoint::max() - time) return TimePoint::max();
  return time + delay;
}

constexpr double milliseconds(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

// Where the time comes from; a test gives one that it moves by hand. Any thread.
class NETKIT_API Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
  virtual WallTime wall() const = 0;
};

// CLOCK_MONOTONIC and CLOCK_REALTIME.
class NETKIT_API SystemClock final : public Clock {
 public:
  TimePoint now() const override {
    return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
  }
  WallTime wall() const override {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  }
};

}  // namespace netkit
