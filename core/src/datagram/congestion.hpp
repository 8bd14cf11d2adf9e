// How much a session may have in flight, and how fast it may send (RFC 8085, section 3.1).
#pragma once

#include "datagram/path_floor.hpp"
#include "datagram/path_group.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>

#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit::datagram {

// One direction of one session over a path that others use, too. Random loss is not taken as a
// signal, as a wireless link may lose a fifth of its packets. Instead, it follows a model of the
// path, like BBR (draft-cardwell-iccrg-bbr): the highest delivery rate of the last rounds, and the
// shortest round trip. It sends at that rate and has slightly more in flight than the product of
// both: a fixed number of datagrams, the same for everybody, so that sessions which share a path
// end up with equal shares of it (as in FAST TCP), and fewer the longer the queue.
//
// Every few seconds it reduces what is in flight enough to see how much of the queue remains. The
// sessions of one machine do so together, so what remains belongs to others, who fill queues
// whatever happens. Then it has as much in flight as they have, which is half of the path.
//
// Loss counts if it comes with a queue, and if it exceeds a quarter.
//
// Pure: no clock, no socket. Windows are in datagrams, rates in datagrams a second. [one thread]
class NETKIT_API CongestionController {
 public:
  static constexpr double kInitialWindow = 10;  // RFC 9002, section 7.2

  // What is known of the path: its round trip without a queue (zero: nothing), the window of a
  // session on the same path, and the sessions on it (null: only this one).
  struct Path {
    Duration base{};
    double window = kInitialWindow;
    std::shared_ptr<PathGroup> group{};
  };
  CongestionController(const Path& known, double max_window);

  // The round trip of the handshake, during which nothing else of this session was in flight.
  void on_handshake(Duration rtt, TimePoint now) { floor_.add(rtt, now); }
  // A datagram was sent, as the `order`th one.
  void on_sent(std::uint64_t order, TimePoint now);
  // `count` datagrams were acknowledged, the newest of them sent as the `order`th. `rtt`: the round
  // trip without the receiver's delay; zero: unknown. `limited`: the window or the pace was the
  // limit.
  void on_acked(std::uint32_t count, std::uint64_t order, Duration rtt, bool limited,
                TimePoint now);
  // The round trip of a datagram that was sent more than once: the true one may be longer.
  void on_unsure(Duration rtt) {
    if (rtt < smoothed_) smoothed_ += (rtt - smoothed_) / 8;
    round_.unsure = round_.unsure == Duration{} ? rtt : std::min(round_.unsure, rtt);
  }
  void on_lost(std::uint32_t count) { round_.lost += count; }
  // The path has marked a datagram instead of dropping it.
  void on_marked();
  // Nothing has been acknowledged for so long that everything in flight counts as lost.
  void on_timeout();

  std::size_t window() const;
  // Between two datagrams; zero: there is no need to wait.
  Duration interval() const;
  // When one datagram may be sent regardless of interval(), to probe the path.
  TimePoint probe_at() const { return probing_ ? look_from_ : TimePoint::max(); }
  // While something is in flight, on_timer() must be called then.
  TimePoint deadline() const { return mode_ == Mode::look ? look_end_ : next_look_; }
  void on_timer(TimePoint now);
  double rate() const { return rate_; }  // what the path delivers; 0: not known
  Path path() const { return {floor_.get(), window_, part_.group()}; }
  Duration base() const { return floor_.get(); }
  enum class Mode : std::uint8_t { start, drain, steady, look };
  Mode mode() const { return mode_; }

 private:
  static constexpr std::size_t kRounds = 8;  // of the filter, and of the cycle that probes for more
  static constexpr double kLossWithQueue = 0.02;
  struct Round {
    TimePoint begin{};
    std::uint64_t end = 0;  // its acknowledgement ends the round
    std::uint32_t acked = 0;
    std::uint32_t lost = 0;
    bool marked = false;
    std::uint32_t samples = 0;
    Duration least{};
    Duration unsure{};  // the shortest of on_unsure(); zero: there was none
    bool limited = false;
  };

  void end_round(TimePoint now);
  void learn_rate(double rate);
  void judge_loss(double rate, TimePoint now);
  double cubic(TimePoint now) const;
  void step();
  void begin_drain();
  void step_steady();
  void begin_look(TimePoint now);
  void end_look();
  void note_look(Duration rtt, TimePoint now);
  void judge_look();
  void set_window();
  double current_window() const;
  double spare() const;  // datagrams in the queue
  bool alike() const;
  double drawn_near(double window) const;
  bool doubtful() const;
  bool free() const;
  bool lossy() const { return loss_ > kLossWithQueue; }
  bool starved() const { return rate_ < most_rate_ / 4; }
  double gain() const;
  double product() const;  // of rate and round trip

  double max_window_;
  double window_;
  double ceiling_;   // above this the path has dropped datagrams
  double held_ = 0;  // the window kept beside other senders, whatever the queue; 0: there are none
  double held_before_ = 0;
  double yielded_from_ = 0;  // the window at the last loss with a full queue
  TimePoint yielded_at_{};
  PathGroup::Part part_;
  PathFloor floor_;
  Duration smoothed_{};
  Duration queue_{};  // of the last round, at least
  Duration queue_before_{};
  double rate_ = 0;
  double loss_ = 0;  // fraction of what was sent, smoothed
  std::array<float, kRounds> rates_{};
  Round round_;
  std::uint64_t newest_ = 0;
  std::uint8_t phase_ = 0;        // of the cycle
  std::uint8_t flat_rounds_ = 0;  // in a row
  std::uint8_t late_ = 0;         // acknowledgements in a row
  TimePoint late_at_{};           // the last of them
  double more_ = 0;               // in flight in addition, to probe for room
  std::uint8_t grown_ = 0;        // cycles in a row
  std::uint8_t marked_ = 0;       // remaining rounds without probing for more, after a mark
  Mode mode_ = Mode::start;
  bool queued_ = false;  // of late
  bool clear_ = true;    // no queue and no loss has been seen so far
  double rate_before_ = 0;
  double start_rate_ = 0;  // at the end of the start, if that was recent
  double most_rate_ = 0;   // of late
  TimePoint next_look_{};
  unsigned looks_ = 0;
  std::uint64_t look_ = 0;      // the number of it, the same for all
  std::uint8_t turn_ = 0;       // to probe
  bool probing_ = false;        // a probe is to be sent during the look
  bool judging_ = false;        // acknowledgements of the look are still arriving
  bool together_ = false;       // the other sessions look as well
  bool others_before_ = false;  // were seen in the previous look
  int blind_rounds_ = 0;        // in a row, without an acknowledgement of anything sent once
  int alone_looks_ = 0;         // in a row, in which others were no longer seen
  int fruitless_ = 0;           // looks in a row that showed no shorter round trip
  Duration floor_before_{};     // the look
  TimePoint look_from_{};
  TimePoint look_end_{};
  Duration look_least_{};
  Duration look_sum_{};
  unsigned look_samples_ = 0;
  Duration jitter_{};  // of the round trip, without a queue
  Duration round_trip_before_{};
  double window_before_ = 0;
};

}  // namespace netkit::datagram
