#include <algorithm>
#include <sse/replay_ring.hpp>
#include <utility>

#include <netkit/util/text.hpp>

namespace netkit::sse {

void ReplayRing::push(std::uint64_t id, Payload event) {
  next_ = id + 1;
  bytes_ += event->size();
  events_.push_back({id, std::move(event)});
  while (!events_.empty() && (events_.size() > keep_ || bytes_ > max_bytes_)) drop_oldest();
}

void ReplayRing::drop_oldest() {
  bytes_ -= events_.front().payload->size();
  oldest_ = events_.front().id + 1;
  events_.pop_front();
}

void ReplayRing::begin_with(std::uint64_t id) {
  is_shared_ = true;
  oldest_ = std::max(oldest_, id);
  next_ = std::max(next_, id);
}

ReplayRing::Replay ReplayRing::after(std::string_view last_event_id, std::uint64_t last) const {
  if (last_event_id.empty()) {
    const std::size_t newest = std::min<std::uint64_t>(last, events_.size());
    return {newest == 0 ? next_ : events_[events_.size() - newest].id};
  }
  const auto id = read_integer<std::uint64_t>(last_event_id);
  const bool is_ours = id && *id >= first_ && (*id < next_ || (is_shared_ && *id < UINT64_MAX));
  const std::uint64_t wanted = is_ours ? *id + 1 : first_;
  if (wanted >= oldest()) return {wanted};
  return {oldest(), wanted, oldest() - 1};
}

ReplayRing::Piece ReplayRing::piece(std::uint64_t from, std::size_t max_bytes) const {
  const auto begin = std::ranges::lower_bound(events_, from, {}, &Event::id);
  if (begin == events_.end()) return {std::make_shared<const std::string>(), next_, 0};
  std::size_t size = begin->payload->size();
  auto end = begin + 1;
  while (end != events_.end() && size + end->payload->size() <= max_bytes) {
    size += (end++)->payload->size();
  }
  const std::uint64_t to = end == events_.end() ? next_ : end->id;
  if (end == begin + 1) return {begin->payload, to, 1};
  std::string joined;
  joined.reserve(size);
  for (auto event = begin; event != end; ++event) joined += *event->payload;
  return {std::make_shared<const std::string>(std::move(joined)), to,
          static_cast<std::uint64_t>(end - begin)};
}

}  // namespace netkit::sse
