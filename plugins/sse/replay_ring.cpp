#include <algorithm>
#include <sse/replay_ring.hpp>
#include <utility>

#include <netkit/util/text.hpp>

namespace netkit::sse {
void ReplayRing::push(Payload event) {
  ++next_;
  bytes_ += event->size();
  events_.push_back(std::move(event));
  while (!events_.empty() && (events_.size() > keep_ || bytes_ > max_bytes_)) {
    bytes_ -= events_.front()->size();
    events_.pop_front();
  }
}

ReplayRing::Replay ReplayRing::after(std::string_view last_event_id, std::uint64_t last) const {
  if (last_event_id.empty()) return {next_ - std::min<std::uint64_t>(last, events_.size())};
  const auto id = read_integer<std::uint64_t>(last_event_id);
  const bool is_ours = id && *id >= first_ && *id < next_;
  const std::uint64_t wanted = is_ours ? *id + 1 : first_;
  if (wanted >= oldest()) return {wanted};
  return {oldest(), wanted, oldest() - 1};
}

ReplayRing::Piece ReplayRing::piece(std::uint64_t from, std::size_t max_bytes) const {
  const auto begin = events_.begin() + static_cast<std::ptrdiff_t>(from - oldest());
  std::size_t size = (*begin)->size();
  auto end = begin + 1;
  while (end != events_.end() && size + (*end)->size() <= max_bytes) size += (*end++)->size();
  if (end == begin + 1) return {*begin, from + 1};
  std::string joined;
  joined.reserve(size);
  for (auto event = begin; event != end; ++event) joined += **event;
  return {std::make_shared<const std::string>(std::move(joined)),
          from + static_cast<std::uint64_t>(end - begin)};
}

}  // namespace netkit::sse
