#include "datagram/send_side.hpp"

#include "datagram/chunk.hpp"

#include <algorithm>

namespace netkit::datagram {
namespace {

constexpr std::uint8_t kMaxBackOff = 16;
constexpr std::uint8_t kProbes = 2;
constexpr std::uint8_t kMostCaution = 6;
// What a probe that was in vain makes the next one wait, at most.
constexpr Duration kPatient = std::chrono::milliseconds(100);
// Expiries after which one more means congestion (RFC 9002, section 7.6). At a loss of a fifth, two
// may be chance: sometimes only one datagram is in flight, and all others wait for it.
constexpr std::uint8_t kPersistent = 2;
// How much a paced session may catch up at once: a busy host wakes up late, and on a long path a
// few milliseconds' worth is no burst.
constexpr Duration kBurst = std::chrono::milliseconds(2);
constexpr Duration kMostBurst = std::chrono::milliseconds(10);

}  // namespace

SendSide::SendSide(const Options& options, Counters& counters, std::uint32_t first_seq,
                   const CongestionController::Path* path)
    : options_(&options),
      counters_(&counters),
      next_(kLap + first_seq),
      limit_(next_),
      round_end_(next_),
      allowed_(std::min(options.initial_in_flight, options.max_in_flight)) {
  if (path == nullptr) return;
  way_ = std::make_unique<Way>(Way{{*path, static_cast<double>(options.max_window)}});
}

SendSide::~SendSide() {
  for (std::size_t i = 0; i < waiting_.size(); ++i) counters_->queued -= waiting_[i]->charge;
}

void SendSide::change_path(const CongestionController::Path& path) {
  if (!way_) return;
  way_->congestion = {path, static_cast<double>(options_->max_window)};
  rtt_ = {};
  caution_ = 0;
}

void SendSide::enqueue(const ChunkRef& chunk) {
  waiting_.push_back() = chunk;
  waiting_messages_ += chunk->ended();
  waiting_bytes_ += chunk->body.size();
  counters_->queued += chunk->charge;
  if (options_->overflow == Overflow::keep_all) return;
  while (may_drop() && (waiting_messages_ - waiting_.front()->ended() >= options_->keep ||
                        waiting_bytes_ > options_->keep_bytes)) {
    drop_oldest();
  }
  if (chunk->charge == 0 || counters_->queued <= options_->max_queued) return;
  const std::uint64_t before = dropped_;
  while (may_drop() && counters_->queued > options_->max_queued) drop_oldest();
  counters_->no_memory += dropped_ - before;
}

// What can go out at once does not count as waiting.
bool SendSide::may_drop() const {
  return waiting_.size() > 1 + room() && !waiting_.front()->control;
}

void SendSide::stops_waiting(const Chunk& chunk) {
  waiting_messages_ -= chunk.ended();
  waiting_bytes_ -= chunk.body.size();
  counters_->queued -= chunk.charge;
}

void SendSide::drop_oldest() {
  const Chunk& oldest = *waiting_.front();
  // A message split between two chunks is lost with the first of them.
  const bool counted = oldest.continues && gap_ends_open_;
  const std::uint64_t gone = oldest.messages - (counted ? 1u : 0u);
  if (oldest.first_record != 0) {
    if (gap_.from == 0) gap_.from = oldest.first_record;
    gap_.to = oldest.last_record();
  } else {
    gap_.unnumbered += gone;
  }
  gap_ends_open_ = oldest.open;
  dropped_ += gone;
  counters_->dropped += gone;
  stops_waiting(oldest);
  waiting_.pop_front();
}

void SendSide::on_ecn_counts(const std::optional<EcnCounts>& counts) {
  // One that acknowledges nothing new may be older than what is known.
  if (!way_ || !way_->news) return;
  if (way_->ecn.on_counts(counts) > 0) way_->congestion.on_marked();
}

void SendSide::open_window(std::uint16_t window) {
  limit_ = std::max(limit_, base() + window);
}

void SendSide::on_ack(std::uint32_t ack, std::uint16_t window, std::string_view bitmap,
                      Duration delay, TimePoint now) {
  if (way_) way_->news = false;
  const auto ahead = static_cast<std::uint32_t>(ack - static_cast<std::uint32_t>(base()));
  if (ahead > in_flight_.size()) return;  // older than what is known, or never sent
  const std::uint16_t before = on_the_way_;
  const std::uint16_t lost_before = lost_;
  const bool limited = next_ < limit_ && (!waiting_.empty() || lost_ > 0);
  TimePoint sampled = TimePoint::max();
  if (way_) way_->answered = TimePoint::max();
  for (std::uint32_t i = 0; i < ahead; ++i) acknowledge(in_flight_[i], now, sampled);
  const std::uint64_t first = base() + ahead;
  const bool opened = first + window > limit_;
  limit_ = std::max(limit_, first + window);
  const std::size_t bits = std::min(bitmap.size() * 8, in_flight_.size() - ahead);
  bool holes = false;
  for (std::size_t i = 0; i < bits && ahead + 1 + i < in_flight_.size(); ++i) {
    if ((static_cast<unsigned char>(bitmap[i / 8]) >> (i % 8) & 1) == 0) continue;
    acknowledge(in_flight_[ahead + 1 + i], now, sampled);
    holes = true;
  }
  release_front();
  Duration sample{};
  if (sampled != TimePoint::max()) {
    sample = now - sampled;
    if (sample > delay) sample -= delay;
    rtt_.add(sample);
    caution_ = 0;
  }
  const bool progress = on_the_way_ != before || lost_ != lost_before;
  const auto acked = static_cast<std::uint32_t>(before + lost_before - on_the_way_ - lost_);
  // What was probed for and comes without a round-trip time may have been on its way all along.
  // Were the timers to start anew, the next would be sent twice, too, and none ever be measured:
  // Karn's algorithm keeps the back-off until one is.
  if (acked > 0 && sample == Duration{} && backed_off_ > 0 && probe_timeout() < kPatient)
    ++caution_;
  if (way_ && acked > 0) {
    way_->news = true;
    if (sample == Duration{} && way_->answered != TimePoint::max()) {
      way_->congestion.on_unsure(now - way_->answered);
    }
    way_->congestion.on_acked(acked, acked_order_, sample, limited, now);
  }
  if (progress || (opened && in_flight_.empty())) after_progress(now);
  // Without a gap, everything sent before what has arrived has arrived, too, except what was sent
  // twice.
  if (holes || retransmitted_ > 0) detect_losses(now);
  if (base() >= round_end_) end_round();
}

void SendSide::acknowledge(InFlight& entry, TimePoint now, TimePoint& sampled) {
  if (!entry.chunk) return;
  // Of a retransmission: as far as one can tell not the answer to an earlier transmission.
  const bool answered = !entry.again || (rtt_.known() && now - entry.sent >= least_round_trip());
  if (answered && order_of(entry) > acked_order_) {
    if (!entry.again) sampled = entry.sent;
    if (way_) way_->answered = entry.sent;
    acked_order_ = order_of(entry);
  }
  if (way_ && entry.ect && !entry.again) way_->ecn.on_acked();
  (entry.lost ? lost_ : on_the_way_)--;
  entry.lost = false;
  in_flight_messages_ -= entry.chunk->ended();
  delivered_ += entry.chunk->ended();
  counters_->messages_acked += entry.chunk->ended();
  entry.chunk.reset();
}

Duration SendSide::least_round_trip() const {
  return way_ ? way_->congestion.base() : rtt_.smoothed() / 2;
}

void SendSide::release_front() {
  while (!in_flight_.empty() && !in_flight_.front().chunk) in_flight_.pop_front();
}

void SendSide::after_progress(TimePoint now) {
  backed_off_ = 0;
  credit_ = 0;
  const unsigned step = way_ ? 0u : has_shrunk_ ? 1u : allowed_ / 4u + 1u;
  allowed_ =
      static_cast<std::uint16_t>(std::min<unsigned>(options_->max_in_flight, allowed_ + step));
  timeout_at_ = TimePoint::max();
  arm(now);
}

void SendSide::mark_lost(InFlight& entry) {
  if (!entry.chunk || entry.lost) return;
  entry.lost = true;
  --on_the_way_;
  ++lost_;
}

void SendSide::detect_losses(TimePoint now) {
  reorder_at_ = TimePoint::max();
  if (!rtt_.known()) return;
  const Duration patience =
      rtt_.smoothed() + std::max<Duration>(rtt_.smoothed() / 4, std::chrono::milliseconds(1));
  const std::uint32_t before = round_lost_;
  for (std::size_t i = 0; i < in_flight_.size(); ++i) {
    InFlight& entry = in_flight_[i];
    if (!entry.chunk || entry.lost || order_of(entry) > acked_order_) continue;
    const TimePoint due = entry.sent + patience;
    if (due <= now) {
      mark_lost(entry);
      ++round_lost_;
    } else {
      reorder_at_ = std::min(reorder_at_, due);
    }
  }
  if (way_ && round_lost_ > before) way_->congestion.on_lost(round_lost_ - before);
}

// Random loss of a fifth must not slow the stream down; a receiver or a path that is overrun loses
// more than that.
void SendSide::end_round() {
  if (!way_ && round_size_ > 0 && round_lost_ * 10 > round_size_ * 4) {
    has_shrunk_ = true;
    allowed_ = std::max<std::uint16_t>(options_->min_in_flight,
                                       static_cast<std::uint16_t>(allowed_ * 7u / 10u));
  }
  round_end_ = next_;
  round_size_ = static_cast<std::uint32_t>(in_flight_.size());
  round_lost_ = 0;
}

void SendSide::on_timer(TimePoint now) {
  if (way_) way_->congestion.on_timer(now);
  if (reorder_at_ <= now) detect_losses(now);
  if (timeout_at_ > now) return;
  timeout_at_ = TimePoint::max();
  if (in_flight_.empty()) {
    probe_wanted_ = blocked();
  } else if (backed_off_ == 0) {
    // Most likely only the tail, or only its acknowledgement, was lost: probe with both ends of it.
    mark_lost(in_flight_.front());
    mark_lost(in_flight_.back());
    credit_ = kProbes;
  } else {
    ++counters_->timeouts;
    // Retransmissions give no round-trip time (Karn's rule): if it suddenly grew, everything would
    // be retransmitted again and again before it could be acknowledged.
    if (caution_ < kMostCaution) ++caution_;
    for (std::size_t i = 0; i < in_flight_.size(); ++i) mark_lost(in_flight_[i]);
    if (way_) {
      if (backed_off_ == kPersistent) way_->congestion.on_timeout();
    } else if (backed_off_ == 1) {
      allowed_ = std::max<std::uint16_t>(options_->min_in_flight,
                                         static_cast<std::uint16_t>(allowed_ / 2u));
    }
    credit_ = kProbes;
  }
  if (backed_off_ < kMaxBackOff) ++backed_off_;
  arm(now);
}

Duration SendSide::probe_timeout() const {
  return (2 * rtt_.smoothed() + options_->ack_delay + options_->ack_delay / 2) * (1 << caution_);
}

void SendSide::arm(TimePoint now) {
  if (timeout_at_ != TimePoint::max()) return;
  if (in_flight_.empty() && !blocked()) return;
  const Duration timeout = back_off(rtt_.timeout(*options_), caution_, options_->max_rto);
  if (backed_off_ == 0) {
    timeout_at_ = now + (rtt_.known() ? std::min(timeout, probe_timeout()) : timeout);
  } else {
    timeout_at_ = now + back_off(timeout, backed_off_ - 1u, options_->max_rto);
  }
}

std::size_t SendSide::room() const {
  if (backed_off_ >= 2 || on_the_way_ >= window() || next_ >= limit_) return 0;
  const std::size_t taken = std::min<std::uint64_t>(limit_ - next_, kMaxWindow);
  return std::min(taken, window() - on_the_way_);
}

bool SendSide::may_send() const {
  if (way_ && way_->copy != 0) return true;
  if (lost_ > 0 && (credit_ > 0 || (backed_off_ < 2 && on_the_way_ < window()))) return true;
  return (!waiting_.empty() || has_gap()) && may_send_new();
}

bool SendSide::next(Emission& out, TimePoint now) {
  if (pace_at() > now) {
    arm(now);
    return false;
  }
  if (way_ && way_->copy != 0 && next_copy(out, now)) return true;
  if (lost_ > 0 && next_lost(out, now)) return true;
  if (!waiting_.empty() || has_gap()) {
    if (!may_send_new()) {
      if (way_) way_->by_host = false;
      arm(now);
      return false;
    }
    leave_out_told_gap();
    const bool gap = gap_is_next();
    std::size_t together = 1;
    ChunkRef made = gap ? make_gap(gap_) : join_waiting(together);
    InFlight& entry = in_flight_.push_back();  // without memory for either nothing has changed yet
    if (gap) {
      entry.chunk = std::move(made);
      numbers_known_ = numbers_known_ || gap_.to != 0;
      gap_ = Gap{};
    } else {
      entry.chunk = take_waiting(together);
      if (made) entry.chunk = std::move(made);
      const Chunk& chunk = *entry.chunk;
      const bool is_rest = gap_ends_open_ && chunk.continues;
      gap_ends_open_ = is_rest && chunk.open && chunk.messages == 1;
      numbers_known_ = numbers_known_ || entry.chunk->first_record != 0;
    }
    gap_was_last_ = gap;
    in_flight_messages_ += entry.chunk->ended();
    ++on_the_way_;
    sent(entry, out, next_++, now);
    out.urgent = out.urgent || (!waiting_.empty() && !may_send_new());
    return true;
  }
  if (way_) way_->by_host = false;
  return false;
}

// The number of the message after it says the same.
void SendSide::leave_out_told_gap() {
  if (!numbers_known_ || waiting_.empty() || waiting_.front()->first_record == 0) return;
  gap_.from = gap_.to = 0;
}

// If more were dropped between any two datagrams, there would be nothing but gaps.
bool SendSide::gap_is_next() const {
  return has_gap() && (!gap_was_last_ || waiting_.empty() || waiting_.front()->control);
}

// Waiting chunks are merged into as few datagrams as possible, because the window counts datagrams.
// Null: the first chunk is sent by itself.
ChunkRef SendSide::join_waiting(std::size_t& count) const {
  const auto joins = [this](const Chunk& chunk, std::size_t next) {
    return next < waiting_.size() && can_join(chunk, *waiting_[next], options_->max_body());
  };
  if (!way_ || waiting_.size() <= room() || !joins(*waiting_.front(), 1)) return {};
  auto whole = std::make_unique<Chunk>(*waiting_.front());
  while (joins(*whole, count)) join(*whole, *waiting_[count++]);
  return ChunkRef(std::move(whole));
}

// The first of so many that are not waiting any more.
ChunkRef SendSide::take_waiting(std::size_t count) {
  ChunkRef first = std::move(waiting_.front());
  for (std::size_t i = 0; i < count; ++i) {
    stops_waiting(i == 0 ? *first : *waiting_.front());
    waiting_.pop_front();
  }
  return first;
}

bool SendSide::next_lost(Emission& out, TimePoint now) {
  if (credit_ == 0 && (backed_off_ >= 2 || on_the_way_ >= window())) return false;
  std::size_t i = 0;
  while (!in_flight_[i].lost) ++i;
  if (credit_ > 0) --credit_;
  InFlight& entry = in_flight_[i];
  entry.lost = false;
  entry.often = entry.again;
  entry.again = true;
  --lost_;
  ++on_the_way_;
  ++retransmitted_;
  ++counters_->retransmitted;
  sent(entry, out, base() + i, now);
  out.urgent = out.urgent || lost_ == 0 || credit_ == 0;
  const bool holds_up = 2 * in_flight_.size() > limit_ - base();
  if (way_ && entry.often && holds_up) way_->copy = base() + i;
  return true;
}

// What was lost twice is sent twice if the receiver has little room left behind it: at a loss of a
// fifth, everything would wait for the few datagrams that are lost four times.
bool SendSide::next_copy(Emission& out, TimePoint now) {
  const std::uint64_t seq = std::exchange(way_->copy, 0);
  if (seq < base() || !in_flight_[seq - base()].chunk) return false;
  out = {.seq = static_cast<std::uint32_t>(seq), .chunk = in_flight_[seq - base()].chunk};
  ++order_;
  ++retransmitted_;
  ++counters_->retransmitted;
  pace(out, now);
  return true;
}

void SendSide::sent(InFlight& entry, Emission& out, std::uint64_t seq, TimePoint now) {
  entry.sent = now;
  entry.order = static_cast<std::uint32_t>(++order_);
  out.seq = static_cast<std::uint32_t>(seq);
  out.urgent = false;
  out.chunk = entry.chunk;
  entry.ect = out.ect = way_ && way_->ecn.marks();
  if (out.ect) way_->ecn.on_sent();
  if (way_) pace(out, now);
  arm(now);
}

// A few at once, so that they leave by UDP_SEGMENT; being acknowledged several times per round trip
// is enough to measure it.
void SendSide::pace(Emission& out, TimePoint now) {
  const Duration pause = way_->congestion.interval();
  way_->congestion.on_sent(order_, now);
  if (pause == Duration::zero()) return;
  const Duration late = std::clamp(rtt_.smoothed() / 8, kBurst, kMostBurst);
  const Duration burst = std::max(2 * pause, way_->by_host ? late : kBurst);
  way_->by_host = true;
  way_->paced = std::max(way_->paced + pause, now - burst);
  out.urgent = (order_ - way_->asked) * 4 >= window();
  if (out.urgent) way_->asked = order_;
}

void SendSide::release_memory() {
  waiting_.release_if_empty();
  in_flight_.release_if_empty();
}

}  // namespace netkit::datagram
