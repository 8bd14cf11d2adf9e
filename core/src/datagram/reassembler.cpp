#include "datagram/receive_side.hpp"

#include <utility>

namespace netkit::datagram {

void Reassembler::deliver(std::string_view body, MessageSink& sink) {
  if (kind_of(body) == BodyKind::gap) {
    deliver_gap(read_gap(body), sink);
  } else {
    deliver_bundle(read_bundle(body), sink);
  }
}

void Reassembler::deliver_gap(Gap gap, MessageSink& sink) {
  if (gap.unnumbered > 0) partial_[0] = Partial{};
  if (gap.to != 0) {
    partial_[1] = Partial{};
    if (expected_ != 0) gap.from = expected_;
    if (gap.to < gap.from) {
      gap.from = gap.to = 0;
    } else {
      expected_ = gap.to + 1;
    }
  }
  if (gap.to != 0 || gap.unnumbered > 0) report(gap, sink);
}

void Reassembler::deliver_bundle(const Bundle& bundle, MessageSink& sink) {
  const bool numbered = bundle.first_record != 0;
  Partial& partial = partial_[numbered];
  std::uint64_t record = bundle.first_record;
  std::string_view entries = bundle.entries;
  std::string_view entry;
  for (bool first = true; next_entry(entries, entry); first = false, record += numbered) {
    const bool last = entries.empty();
    const bool continued = first && bundle.continues;
    const bool open = last && bundle.open;
    if (continued && !(partial.begun && (!numbered || record == expected_))) {
      pass_over(record, sink);
      partial = Partial{};
      continue;
    }
    if (!continued) {
      if (partial.begun) partial = Partial{};
      if (numbered && !wanted(record, sink)) continue;
    }
    if (continued || open) {
      partial.begun = true;
      piece(partial, entry);
      if (open) continue;
      const Partial whole = std::exchange(partial, Partial{});
      complete(record, whole.bytes, whole.too_long, sink);
    } else {
      complete(record, entry, entry.size() > options_->max_message, sink);
    }
  }
}

// The rest of a message whose begin is missing, or came before the session began.
void Reassembler::pass_over(std::uint64_t record, MessageSink& sink) {
  if (record == 0 || record < expected_) return;
  const std::uint64_t missing_from = std::exchange(expected_, record + 1);
  if (missing_from != 0) report({missing_from, record, 0}, sink);
}

// Whether a message that begins here is to be delivered; says which ones are missing before it.
bool Reassembler::wanted(std::uint64_t record, MessageSink& sink) {
  if (expected_ != 0 && record < expected_) {
    ++counters_->stale;
    return false;
  }
  const std::uint64_t missing_from = expected_;
  expected_ = record;
  if (missing_from != 0 && record > missing_from) report({missing_from, record - 1, 0}, sink);
  return true;
}

void Reassembler::piece(Partial& partial, std::string_view bytes) {
  if (partial.bytes.size() + bytes.size() > options_->max_message) partial.too_long = true;
  if (partial.too_long) {
    std::string().swap(partial.bytes);
    return;
  }
  partial.bytes.append(bytes);
}

void Reassembler::complete(std::uint64_t record, std::string_view message, bool too_long,
                           MessageSink& sink) {
  if (record != 0) expected_ = record + 1;
  if (too_long) {
    ++counters_->too_long;
    report({record, record, record == 0 ? 1u : 0u}, sink);
    return;
  }
  ++counters_->messages_in;
  sink.on_message(record, message);
}

void Reassembler::report(const Gap& gap, MessageSink& sink) {
  if (gap.to != 0) counters_->lost += gap.to - gap.from + 1;
  counters_->lost += gap.unnumbered;
  sink.on_gap(gap);
}

}  // namespace netkit::datagram
