#include <charconv>
#include <string>

#include <netkit/util/error.hpp>
#include <netkit/util/reconnect.hpp>

namespace netkit {

std::uint64_t Reconnect::parse_limit(std::string_view text) {
  if (text == "never") return kNever;
  if (text == "forever") return kForever;
  std::uint64_t limit = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw UsageError("--reconnect: '" + std::string(text) + "' is not never, forever or a number");
  }
  return limit;
}

Reconnect::Reconnect(std::uint64_t limit, const Backoff::Options& backoff)
    : backoff_(backoff), healthy_(backoff.healthy), limit_(limit) {}

std::optional<Duration> Reconnect::next(TimePoint now, double chance) {
  if (connected_at_ != TimePoint::max() && now - connected_at_ >= healthy_) attempts_ = 0;
  connected_at_ = TimePoint::max();
  if (attempts_ >= limit_) return std::nullopt;
  ++attempts_;
  return backoff_.next(now, chance);
}

void Reconnect::connected(TimePoint now) {
  connected_at_ = now;
  backoff_.connected(now);
}

}  // namespace netkit
