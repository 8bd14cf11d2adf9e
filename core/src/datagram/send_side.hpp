// The sending half of a session: a queue of chunks, those in flight, and when to send which again.
#pragma once

#include "datagram/chunk.hpp"
#include "datagram/congestion.hpp"
#include "datagram/ecn.hpp"
#include "datagram/ring.hpp"
#include "datagram/rtt.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include <netkit/datagram/options.hpp>

namespace netkit::datagram {

// Sequence numbers count chunks; they are 64 bits wide here and 32 on the wire. What is in flight
// is kept until it is acknowledged; what waits is bounded by Options::keep and may be dropped from
// its front, where a chunk that says so takes its place.
//
// Loss is recognised by time, as RACK does (RFC 8985): a chunk is lost when one that was sent after
// it has been acknowledged and a quarter of a round trip has passed since it should have been. The
// tail of a burst is probed for after two round trips, then by RFC 6298's timer with back-off.
//
// How much is in flight, and when the next may go, a CongestionController says. Without one, on a
// path within this machine, there is nothing to be careful with but the receiver: then it is
// Options::max_in_flight, and less where very much is lost.
class NETKIT_API SendSide {
 public:
  // `path`: null for one within this machine.
  SendSide(const Options& options, Counters& counters, std::uint32_t first_seq,
           const CongestionController::Path* path = nullptr);
  ~SendSide();
  SendSide(const SendSide&) = delete;
  SendSide& operator=(const SendSide&) = delete;

  void enqueue(const ChunkRef& chunk);

  // Processes an acknowledgement: everything before `ack` has arrived, and ack + 1 + i where bit i
  // of `bitmap` is set; `window` more from `ack` on would be accepted. One that is outdated, or
  // acknowledges what was never sent, is ignored.
  void on_ack(std::uint32_t ack, std::uint16_t window, std::string_view bitmap, Duration delay,
              TimePoint now);
  // The ECN counts of the same ACK, if it has any.
  void on_ecn_counts(const std::optional<EcnCounts>& counts);
  void open_window(std::uint16_t window);                // of the handshake
  void add_rtt_sample(Duration sample, TimePoint now) {  // of the handshake
    rtt_.add(sample);
    if (way_) way_->congestion.on_handshake(sample, now);
  }

  // The session continues on another path, of which only this is known (RFC 9000, section 9.4).
  void change_path(const CongestionController::Path& path);

  // The next datagram to send, or false when there is none now.
  struct Emission {
    std::uint32_t seq = 0;
    bool urgent = false;  // to be acknowledged at once
    bool ect = false;     // the path may mark it
    ChunkRef chunk;
  };
  bool next(Emission& out, TimePoint now);
  bool has_next(TimePoint now) const { return pace_at() <= now && may_send(); }
  void on_timer(TimePoint now);
  TimePoint deadline() const {
    TimePoint due = std::min(timeout_at_, reorder_at_);
    if (way_ && !in_flight_.empty()) due = std::min(due, way_->congestion.deadline());
    return may_send() ? std::min(due, pace_at()) : due;
  }
  // A window update is to be asked for; said once.
  bool take_probe() { return std::exchange(probe_wanted_, false); }

  std::uint32_t next_seq() const { return static_cast<std::uint32_t>(next_); }
  bool idle() const { return waiting_.empty() && in_flight_.empty() && !has_gap(); }
  bool full() const {
    const std::size_t part = options_->full_at_half ? 2 : 1;
    return waiting_messages_ * part >= options_->keep ||
           waiting_bytes_ * part >= options_->keep_bytes;
  }
  bool blocked() const { return (!waiting_.empty() || has_gap()) && !may_send_new(); }
  std::size_t waiting_messages() const { return waiting_messages_; }
  std::size_t unacknowledged() const { return waiting_messages_ + in_flight_messages_; }
  std::uint64_t delivered() const { return delivered_; }
  std::uint64_t dropped() const { return dropped_; }
  std::uint64_t retransmitted() const { return retransmitted_; }
  const RttEstimator& rtt() const { return rtt_; }
  // Null: there is none.
  const CongestionController* congestion() const { return way_ ? &way_->congestion : nullptr; }
  std::size_t window() const { return way_ ? way_->congestion.window() : allowed_; }
  void release_memory();  // while idle

 private:
  // Shared with others.
  struct Way {
    CongestionController congestion;
    EcnSender ecn{};
    TimePoint paced{};        // when the last one went, or should have
    TimePoint answered{};     // when the newest of what was just acknowledged was sent
    std::uint64_t asked = 0;  // order of the last sending that was urgent
    bool news = false;        // what was just acknowledged was not before
    std::uint64_t copy = 0;   // the number of what goes out once more; 0: nothing
    bool by_host = false;  // nothing but the pace held back what goes next, or a host that is late
  };
  TimePoint pace_at() const {
    if (!way_) return TimePoint::min();
    const CongestionController& congestion = way_->congestion;
    return std::min(way_->paced + congestion.interval(), congestion.probe_at());
  }
  struct InFlight {
    ChunkRef chunk;           // null once acknowledged
    TimePoint sent{};         // last
    std::uint32_t order = 0;  // of its last sending among all sendings: the lower half
    bool lost = false;        // to be sent again
    bool again = false;       // has been sent more than once
    bool often = false;       // more than twice
    bool ect = false;         // its last sending could be marked
  };

  bool has_gap() const { return gap_.to != 0 || gap_.unnumbered != 0; }
  void drop_oldest();
  bool may_drop() const;
  void stops_waiting(const Chunk& chunk);
  void leave_out_told_gap();
  bool gap_is_next() const;
  ChunkRef join_waiting(std::size_t& count) const;
  ChunkRef take_waiting(std::size_t count);
  // `sampled`: when what gives the round trip was sent.
  void acknowledge(InFlight& entry, TimePoint now, TimePoint& sampled);
  Duration least_round_trip() const;
  void release_front();
  void after_progress(TimePoint now);
  void mark_lost(InFlight& entry);
  void detect_losses(TimePoint now);
  void pace(Emission& out, TimePoint now);
  bool may_send() const;  // but for the pace
  void end_round();
  std::size_t room() const;  // how many new chunks may go out now
  bool may_send_new() const { return room() > 0; }
  bool next_lost(Emission& out, TimePoint now);
  bool next_copy(Emission& out, TimePoint now);
  void sent(InFlight& entry, Emission& out, std::uint64_t seq, TimePoint now);
  void arm(TimePoint now);
  Duration probe_timeout() const;
  std::uint64_t order_of(const InFlight& entry) const {
    return order_ - static_cast<std::uint32_t>(static_cast<std::uint32_t>(order_) - entry.order);
  }
  std::uint64_t base() const { return next_ - in_flight_.size(); }

  const Options* options_;
  Counters* counters_;
  Ring<ChunkRef> waiting_;
  Ring<InFlight> in_flight_;  // sequence numbers base() to next_ - 1
  Gap gap_;                   // what was dropped from the front of waiting_
  RttEstimator rtt_;
  std::uint64_t next_;             // the next sequence number
  std::uint64_t limit_;            // the first one the receiver would not take
  std::uint64_t order_ = 0;        // sendings so far
  std::uint64_t acked_order_ = 0;  // the newest sending that is known to have arrived
  TimePoint timeout_at_ = TimePoint::max();
  TimePoint reorder_at_ = TimePoint::max();
  std::uint64_t round_end_;
  std::uint32_t round_lost_ = 0;
  std::uint32_t round_size_ = 0;
  std::unique_ptr<Way> way_;
  std::uint16_t allowed_;         // in flight at once, where there is no controller
  std::uint16_t on_the_way_ = 0;  // in flight, neither acknowledged nor lost
  std::uint16_t lost_ = 0;        // in flight and marked lost
  std::uint8_t backed_off_ = 0;   // expiries since the last progress
  std::uint8_t caution_ = 0;      // doublings of the timers since the last round-trip time
  std::uint8_t credit_ = 0;       // probes that may go out whatever is in flight
  bool probe_wanted_ = false;
  bool has_shrunk_ = false;     // allowed_ grows slowly from then on
  bool gap_ends_open_ = false;  // what waits goes on with a message that was counted as dropped
  bool gap_was_last_ = false;   // of what was sent
  bool numbers_known_ = false;  // to the receiver, so that it sees what is missing
  std::size_t waiting_messages_ = 0;
  std::size_t waiting_bytes_ = 0;
  std::size_t in_flight_messages_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t dropped_ = 0;
  std::uint64_t retransmitted_ = 0;
};

}  // namespace netkit::datagram
