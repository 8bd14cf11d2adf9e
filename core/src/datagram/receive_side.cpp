#include "datagram/receive_side.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace netkit::datagram {
namespace {

constexpr std::uint64_t kLap = std::uint64_t{1} << 32;

}  // namespace

ReceiveSide::ReceiveSide(const Options& options, Counters& counters, std::uint32_t first_seq)
    : options_(&options),
      counters_(&counters),
      reassembler_(options, counters),
      next_(kLap + first_seq),
      delivered_(next_),
      highest_(next_),
      told_window_(options.receive_window) {}

bool ReceiveSide::accept(std::uint32_t wire_seq, std::string_view body, TimePoint now,
                         MessageSink& sink) {
  // The nearest number with these low 32 bits.
  const auto off = static_cast<std::int32_t>(wire_seq - static_cast<std::uint32_t>(next_));
  const std::uint64_t seq = next_ + static_cast<std::uint64_t>(static_cast<std::int64_t>(off));
  if (off < 0 || holds(seq)) {
    ++counters_->duplicates;
    ask_ack();
    return false;
  }
  if (seq >= delivered_ + options_->receive_window) {
    ++counters_->out_of_window;
    ask_ack();
    return false;
  }
  if (!is_valid_body(body)) {
    ++counters_->malformed;
    return false;
  }
  if (seq >= highest_) newest_at_ = now;
  highest_ = std::max(highest_, seq + 1);
  if (seq == next_ && delivered_ == next_ && !paused_) {
    ++next_;
    ++delivered_;
    deliver(body, sink);
  } else {
    hold(seq, body);
  }
  while (next_ < highest_ && holds(next_)) ++next_;
  deliver_held(sink);
  schedule_ack(now);
  return true;
}

void ReceiveSide::hold(std::uint64_t seq, std::string_view body) {
  if (held_.empty()) held_.resize(std::bit_ceil<std::size_t>(options_->receive_window));
  slot(seq).assign(body);
}

void ReceiveSide::deliver_held(MessageSink& sink) {
  while (delivered_ < next_ && !paused_ && !stopped_) {
    // Taken out first: the sink may look at the window.
    const std::string body = std::exchange(slot(delivered_), std::string());
    ++delivered_;
    deliver(body, sink);
  }
}

void ReceiveSide::deliver(std::string_view body, MessageSink& sink) {
  if (stopped_ || ended_) return;
  if (kind_of(body) == BodyKind::end) {
    ended_ = true;
    ask_ack();
    sink.on_end(read_end(body));
    return;
  }
  reassembler_.deliver(body, sink);
}

void ReceiveSide::resume(MessageSink& sink) {
  paused_ = false;
  deliver_held(sink);
  if (told_window_ < options_->receive_window / 2) ask_ack();
}

void ReceiveSide::schedule_ack(TimePoint now) {
  if (has_holes() || ++unacked_ >= options_->ack_every) {
    ack_now_ = true;
  } else if (ack_at_ == TimePoint::max()) {
    ack_at_ = now + options_->ack_delay;
  }
}

std::uint16_t ReceiveSide::window() const {
  return static_cast<std::uint16_t>(options_->receive_window - (next_ - delivered_));
}

std::uint16_t ReceiveSide::ack_delay(TimePoint now) const {
  if (newest_at_ == TimePoint{} || now <= newest_at_) return 0;
  const auto units = (now - newest_at_) / std::chrono::microseconds(100);
  return static_cast<std::uint16_t>(std::min<std::int64_t>(units, 0xffff));
}

void ReceiveSide::bitmap(std::string& out) const {
  out.clear();
  if (!has_holes()) return;
  out.resize((highest_ - next_ - 1 + 7) / 8, '\0');
  for (std::uint64_t seq = next_ + 1; seq < highest_; ++seq) {
    if (!holds(seq)) continue;
    const std::uint64_t bit = seq - next_ - 1;
    out[bit / 8] = static_cast<char>(out[bit / 8] | 1 << (bit % 8));
  }
}

void ReceiveSide::acked() {
  ack_now_ = false;
  ack_at_ = TimePoint::max();
  unacked_ = 0;
  told_window_ = window();
}

void ReceiveSide::release_memory() {
  if (delivered_ == highest_ && !held_.empty()) std::vector<std::string>().swap(held_);
}

}  // namespace netkit::datagram
