#include <chrono>
#include <limits>
#include <sse/stream_timing.hpp>

#include <fmt/format.h>

namespace netkit::sse {
namespace {

// Events that come together after a pause have been buffered somewhere. A server may send at once
// what a reader has missed, but not after it has sent nothing for this long.
constexpr Duration kPause = std::chrono::milliseconds(500);
constexpr std::uint64_t kMany = 10;    // events of a read
constexpr std::uint64_t kEnough = 20;  // events in all

}  // namespace

void StreamTiming::on_request(TimePoint now) {
  if (requested_ == TimePoint::max()) requested_ = now;
  last_read_ = now;
}

void StreamTiming::on_read(TimePoint now, std::uint64_t events) {
  const Duration pause = now - last_read_;
  last_read_ = now;
  if (events == 0) return;
  ++reads_;
  was_held_ = was_held_ || (events >= kMany && pause >= kPause);
  if (first_event_) {
    gaps_.record(now - last_at_);
  } else {
    first_event_ = now - requested_;
    first_at_ = now;
  }
  if (events > 1) gaps_.record(Duration::zero(), events - 1);
  last_at_ = now;
  events_ += events;
}

double StreamTiming::events_per_second() const {
  if (events_ < 2 || last_at_ <= first_at_) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(events_ - 1) /
         std::chrono::duration<double>(last_at_ - first_at_).count();
}

std::string StreamTiming::held_back() const {
  if (!was_held_ || events_ < kEnough || events_ < kMany * reads_) return {};
  return fmt::format("{} events came in {} read{}: something on the path buffers them", events_,
                     reads_, reads_ == 1 ? "" : "s");
}

}  // namespace netkit::sse
