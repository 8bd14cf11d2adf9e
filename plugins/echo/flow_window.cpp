#include <algorithm>
#include <cmath>
#include <echo/flow_window.hpp>

namespace netkit::echo {

FlowWindow::Sent FlowWindow::send(TimePoint since) {
  Message& message = at(next_);
  const bool overwrote = message.state == State::waiting;
  if (overwrote) {
    message.state = State::lost;
    --outstanding_;
  }
  message = {since, next_, State::waiting};
  ++outstanding_;
  const std::uint32_t number = next_++;
  if (overwrote) advance();
  return {number, overwrote};
}

FlowWindow::Reply FlowWindow::on_reply(std::uint32_t number, TimePoint now) {
  Message& message = at(number);
  if (message.number != number || message.state == State::lost) return {Reply::Kind::late, {}};
  if (message.state == State::answered) return {Reply::Kind::duplicate, {}};
  message.state = State::answered;
  --outstanding_;
  const Duration latency = now - message.since;
  advance();
  return {Reply::Kind::reply, latency};
}

std::optional<std::uint32_t> FlowWindow::oldest() const {
  if (outstanding_ == 0) return std::nullopt;
  return oldest_;
}

void FlowWindow::advance() {
  if (next_ - oldest_ > messages_.size()) {
    oldest_ = next_ - static_cast<std::uint32_t>(messages_.size());
  }
  while (oldest_ != next_ && at(oldest_).state != State::waiting) ++oldest_;
}

std::size_t FlowWindow::expire(TimePoint before) {
  std::size_t lost = 0;
  while (outstanding_ > 0 && at(oldest_).since <= before) {
    at(oldest_).state = State::lost;
    --outstanding_;
    ++lost;
    advance();
  }
  return lost;
}

SendSchedule::SendSchedule(double per_second, TimePoint start, Duration max_late)
    : per_second_(per_second), start_(start), max_late_(max_late) {}

TimePoint SendSchedule::due(std::uint64_t index) const {
  const double seconds = static_cast<double>(index) / per_second_;
  return start_ + Duration(std::llround(seconds * 1e9));
}

TimePoint SendSchedule::next() const {
  return due(index_);
}

void SendSchedule::skip_until(TimePoint time) {
  const auto seconds = std::chrono::duration<double>(time - start_).count();
  const auto index = static_cast<std::uint64_t>(std::ceil(std::max(seconds, 0.0) * per_second_));
  if (index <= index_) return;
  skipped_ += index - index_;
  index_ = index;
}

std::optional<TimePoint> SendSchedule::take(TimePoint now) {
  if (now - due(index_) > max_late_) skip_until(now - max_late_);
  const TimePoint time = due(index_);
  if (time > now) return std::nullopt;
  ++index_;
  return time;
}

}  // namespace netkit::echo
