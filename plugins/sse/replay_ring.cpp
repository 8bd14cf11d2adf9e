#include <charconv>
#include <optional>
#include <sse/replay_ring.hpp>
#include <system_error>
#include <utility>

namespace netkit::sse {
namespace {

std::optional<std::uint64_t> read_id(std::string_view text) {
  std::uint64_t id = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, id);
  if (error != std::errc() || rest != end) return std::nullopt;
  return id;
}

}  // namespace

void ReplayRing::push(Payload event) {
  ++next_;
  bytes_ += event->size();
  events_.push_back(std::move(event));
  while (!events_.empty() && (events_.size() > keep_ || bytes_ > max_bytes_)) {
    bytes_ -= events_.front()->size();
    events_.pop_front();
  }
}

ReplayRing::Replay ReplayRing::after(std::string_view last_event_id) const {
  if (last_event_id.empty()) return {next_};
  const auto id = read_id(last_event_id);
  if (!id || *id >= next_) return {oldest()};
  const std::uint64_t wanted = *id + 1;
  if (wanted >= oldest()) return {wanted};
  return {oldest(), wanted, oldest() - 1};
}

ReplayRing::Payload ReplayRing::at(std::uint64_t id) const {
  if (id < oldest() || id >= next_) return nullptr;
  return events_[static_cast<std::size_t>(id - oldest())];
}

}  // namespace netkit::sse
