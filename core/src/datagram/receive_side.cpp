#include "datagram/receive_side.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace netkit::datagram {
Reassembler::~Reassembler() {
  for (const bool numbered : {false, true}) drop(numbered);
}

void Reassembler::drop(bool numbered) {
  if (has_begun(numbered)) take((*partials_)[numbered]);
}

Reassembler::Partial Reassembler::take(Partial& partial) {
  counters_->held -= partial.bytes.size();
  return std::exchange(partial, Partial{});
}

void Reassembler::deliver(std::string_view body, MessageHandler& handler) {
  if (kind_of(body) == BodyKind::gap) {
    deliver_gap(read_gap(body), handler);
  } else {
    deliver_bundle(read_bundle(body), handler);
  }
}

void Reassembler::deliver_gap(Gap gap, MessageHandler& handler) {
  if (gap.unnumbered > 0) drop(false);
  if (gap.to != 0) {
    drop(true);
    if (expected_ != 0) gap.from = expected_;
    if (gap.to < gap.from) {
      gap.from = gap.to = 0;
    } else {
      expected_ = gap.to + 1;
    }
  }
  if (gap.to != 0 || gap.unnumbered > 0) report(gap, handler);
}

void Reassembler::deliver_bundle(const Bundle& bundle, MessageHandler& handler) {
  const bool numbered = bundle.first_record != 0;
  std::uint64_t record = bundle.first_record;
  std::string_view entries = bundle.entries;
  std::string_view entry;
  for (bool first = true; !stopped_ && next_entry(entries, entry);
       first = false, record += numbered) {
    const bool last = entries.empty();
    const bool continued = first && bundle.continues;
    const bool open = last && bundle.open;
    if (continued && !(has_begun(numbered) && (!numbered || record == expected_))) {
      pass_over(record, handler);
      drop(numbered);
      continue;
    }
    if (!continued) {
      drop(numbered);
      if (numbered && !wanted(record, handler)) continue;
    }
    if (continued || open) {
      if (!partials_) partials_ = std::make_unique<std::array<Partial, 2>>();
      Partial& partial = (*partials_)[numbered];
      partial.begun = true;
      piece(partial, entry);
      if (open) continue;
      const Partial whole = take(partial);
      complete(record, whole.bytes, whole.too_long, handler);
    } else {
      complete(record, entry, entry.size() > options_->max_message, handler);
    }
  }
}

// The rest of a message whose begin is missing, or came before the session began.
void Reassembler::pass_over(std::uint64_t record, MessageHandler& handler) {
  if (record == 0 || record < expected_) return;
  const std::uint64_t missing_from = std::exchange(expected_, record + 1);
  if (missing_from != 0) report({missing_from, record, 0}, handler);
}

// Whether a message that begins here is to be delivered; says which ones are missing before it.
bool Reassembler::wanted(std::uint64_t record, MessageHandler& handler) {
  if (expected_ != 0 && record < expected_) {
    ++counters_->stale;
    return false;
  }
  const std::uint64_t missing_from = expected_;
  expected_ = record;
  if (missing_from != 0 && record > missing_from) report({missing_from, record - 1, 0}, handler);
  return true;
}

void Reassembler::piece(Partial& partial, std::string_view bytes) {
  if (partial.too_long) return;
  const bool no_memory = counters_->held + bytes.size() > options_->max_held;
  if (no_memory) ++counters_->no_memory;
  if (no_memory || partial.bytes.size() + bytes.size() > options_->max_message) {
    take(partial);
    partial.begun = partial.too_long = true;
    return;
  }
  partial.bytes.append(bytes);
  counters_->held += bytes.size();
}

void Reassembler::complete(std::uint64_t record, std::string_view message, bool too_long,
                           MessageHandler& handler) {
  if (stopped_) return;  // by what was missing before it
  if (record != 0) expected_ = record + 1;
  if (too_long) {
    ++counters_->too_long;
    report({record, record, record == 0 ? 1u : 0u}, handler);
    return;
  }
  handler.on_message(record, message);
}

void Reassembler::report(const Gap& gap, MessageHandler& handler) {
  if (gap.to != 0) counters_->lost += gap.to - gap.from + 1;
  counters_->lost += gap.unnumbered;
  handler.on_gap(gap);
}

ReceiveSide::ReceiveSide(const Options& options, Counters& counters, std::uint32_t first_seq)
    : reassembler_(options, counters),
      next_(kLap + first_seq),
      delivered_(next_),
      highest_(next_),
      told_window_(options.receive_window) {}

ReceiveSide::~ReceiveSide() {
  for (const std::string& body : held_) counters().held -= body.size() + sizeof(std::string);
}

bool ReceiveSide::accept(std::uint32_t wire_seq, std::string_view body, TimePoint now,
                         MessageHandler& handler) {
  // The nearest number with these low 32 bits.
  const auto off = static_cast<std::int32_t>(wire_seq - static_cast<std::uint32_t>(next_));
  const std::uint64_t seq = next_ + static_cast<std::uint64_t>(static_cast<std::int64_t>(off));
  if (off < 0 || holds(seq)) {
    ++counters().duplicates;
    ask_ack();
    return false;
  }
  if (seq >= delivered_ + options().receive_window) {
    ++counters().out_of_window;
    ask_ack();
    return false;
  }
  if (!is_valid_body(body)) {
    ++counters().malformed;
    return false;
  }
  const bool in_order = seq == next_ && delivered_ == next_ && !paused_;
  if (!in_order && !hold(seq, body)) return false;
  if (seq >= highest_) newest_at_ = now;
  highest_ = std::max(highest_, seq + 1);
  if (in_order) {
    ++next_;
    ++delivered_;
    deliver(body, handler);
  }
  while (next_ < highest_ && holds(next_)) ++next_;
  deliver_held(handler);
  schedule_ack(now);
  return true;
}

bool ReceiveSide::hold(std::uint64_t seq, std::string_view body) {
  const std::size_t slots =
      held_.empty() ? std::bit_ceil<std::size_t>(options().receive_window) : 0;
  const std::size_t more = body.size() + slots * sizeof(std::string);
  if (counters().held + more > options().max_held) {
    ++counters().no_memory;
    return false;
  }
  if (slots > 0) held_.resize(slots);
  slot(seq).assign(body);
  counters().held += more;
  return true;
}

void ReceiveSide::deliver_held(MessageHandler& handler) {
  while (delivered_ < next_ && !paused_ && !stopped_) {
    // Taken out first: the handler may look at the window.
    const std::string body = std::exchange(slot(delivered_), std::string());
    counters().held -= body.size();
    ++delivered_;
    deliver(body, handler);
  }
}

void ReceiveSide::deliver(std::string_view body, MessageHandler& handler) {
  if (stopped_ || ended_) return;
  if (kind_of(body) == BodyKind::end) {
    ended_ = true;
    ask_ack();
    handler.on_end(read_end(body));
    return;
  }
  reassembler_.deliver(body, handler);
}

void ReceiveSide::resume(MessageHandler& handler) {
  paused_ = false;
  deliver_held(handler);
  if (told_window_ < options().receive_window / 2) ask_ack();
}

void ReceiveSide::schedule_ack(TimePoint now) {
  if (has_holes() || ++unacked_ >= options().ack_every) {
    ack_now_ = true;
  } else if (ack_at_ == TimePoint::max()) {
    ack_at_ = now + options().ack_delay;
  }
}

std::uint16_t ReceiveSide::window() const {
  return static_cast<std::uint16_t>(options().receive_window - (next_ - delivered_));
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
  if (delivered_ != highest_ || held_.empty()) return;
  counters().held -= held_.size() * sizeof(std::string);
  std::vector<std::string>().swap(held_);
}

}  // namespace netkit::datagram
