#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <netkit/net/reconnect.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

using namespace std::chrono_literals;

constexpr Duration kLeast = 1ms;

// As exact as people need it: "120 ms", "1.2 s", "12 s", "5 min", "3 h".
std::string rough_text(Duration duration) {
  const auto in = [duration](Duration unit) {
    return static_cast<double>(duration.count()) / static_cast<double>(unit.count());
  };
  if (duration < 1s)
    return fmt::format("{} ms", std::chrono::ceil<std::chrono::milliseconds>(duration).count());
  if (duration < 10s) return fmt::format("{:.1f} s", in(1s));
  if (duration < 2min) return fmt::format("{:.0f} s", in(1s));
  if (duration < 2h) return fmt::format("{:.0f} min", in(1min));
  return fmt::format("{:.0f} h", in(1h));
}

}  // namespace

std::uint64_t Reconnect::parse_limit(std::string_view text) {
  if (text == "never") return kNever;
  if (text == "forever") return kForever;
  if (const auto limit = read_integer<std::uint64_t>(text)) return *limit;
  throw UsageError(fmt::format("--reconnect: '{}' is not never, forever or a number", text));
}

std::optional<Duration> Reconnect::next(TimePoint now, double chance, RetryBounds bounds) {
  if (connected_at_ != TimePoint::max() && now - connected_at_ >= options_.healthy) attempts_ = 0;
  connected_at_ = TimePoint::max();
  if (attempts_ >= options_.limit) return std::nullopt;
  const auto most = static_cast<double>(ceiling().count());
  ++attempts_;
  return std::clamp(Duration(static_cast<Duration::rep>(most * chance)), bounds.least, bounds.most);
}

void Reconnect::connected(TimePoint now) {
  connected_at_ = now;
}

Duration Reconnect::ceiling() const {
  const Duration most = std::max(options_.maximum, kLeast);
  const Duration first = std::clamp(options_.initial, kLeast, most);
  // Halving the maximum instead of doubling the first cannot overflow.
  if (attempts_ >= 62 || first > most / (Duration::rep{1} << attempts_)) return most;
  return first * (Duration::rep{1} << attempts_);
}

std::string Outage::sentence(std::string_view server, std::string_view why) {
  return fmt::format("{}: {}", server, why);
}

std::string Outage::lost(std::string_view reason) {
  return fmt::format("connection lost: {}", reason);
}

Outage::Line Outage::failed(TimePoint now, std::string_view server, std::string_view why,
                            std::string_view next, Duration wait) {
  const bool news = !lasts();
  if (news) since_ = now;
  const std::string_view what = next == server ? "again" : next;
  const std::string delay = wait > Duration::zero() ? " in " + rough_text(wait) : std::string();
  return {news ? LogLevel::notice : LogLevel::info,
          fmt::format("{}: {}; trying {}{}", server, why, what, delay)};
}

Outage::Line Outage::connected(TimePoint now, std::string_view server) {
  const bool again = std::exchange(was_connected_, true);
  const TimePoint since = std::exchange(since_, TimePoint::max());
  if (since == TimePoint::max()) return {LogLevel::info, fmt::format("connected to {}", server)};
  return {LogLevel::notice, fmt::format("{}: connected {}after {}", server, again ? "again " : "",
                                        rough_text(now - since))};
}

Failover::Failover(std::size_t servers) : order_(std::max<std::size_t>(servers, 1)) {
  std::iota(order_.begin(), order_.end(), std::size_t{0});
}

void Failover::next() {
  position_ = round_is_over() ? 0 : position_ + 1;
  connected_ = false;
}

void Failover::connected() {
  const std::size_t in_use = current();
  std::sort(order_.begin(), order_.end());
  const auto at = order_.begin() + static_cast<std::ptrdiff_t>(in_use);
  std::rotate(order_.begin(), at, at + 1);
  position_ = 0;
  connected_ = true;
}

}  // namespace netkit
