// How much a session may have on its way, and how fast it may send (RFC 8085, section 3.1).
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

// One direction of one session over a path that others use, too. Random loss is no signal, as a
// wireless link may lose a fifth of what it carries. So this follows a model of the path, as BBR
// does (draft-cardwell-iccrg-bbr): what was delivered a second, at most, within the last rounds,
// and the shortest round trip. It sends as fast as the one and has a little more on its way than
// the product of both: a fixed number of datagrams, the same for everybody, so that sessions which
// share a path end up with equal parts of it (as FAST TCP does), and fewer the longer the queue.
//
// Every few seconds it has little enough on its way to see what is left of the queue. Sessions of
// one machine do so together; so what is left is of others, who fill queues whatever happens. Then
// it has as much on its way as they have, and half of the path.
//
// Loss counts where it comes with a queue, and where it is over a quarter.
//
// Pure: no clock, no socket. Windows are in datagrams, rates in datagrams a second. [one thread]
class NETKIT_API CongestionController {
 public:
  static constexpr double kInitialWindow = 10;  // RFC 9002, section 7.2

  // What is known of the path: its round trip without a queue (zero: nothing), what a session that
  // goes the same way may have, and which do (null: this one alone).
  struct Path {
    Duration base{};
    double window = kInitialWindow;
    std::shared_ptr<PathGroup> group{};
  };
  CongestionController(const Path& known, double max_window);

  // The round trip of the handshake, in which nothing of this session was on its way.
  void on_handshake(Duration rtt, TimePoint now) { floor_.add(rtt, now); }
  // A sending, the `order`th one.
  void on_sent(std::uint64_t order, TimePoint now);
  // So many sendings are acknowledged, the newest of which is the `order`th. `rtt`: the round trip
  // without the time that the receiver took; zero: there is none. `limited`: the window or the pace
  // was what held back.
  void on_acked(std::uint32_t count, std::uint64_t order, Duration rtt, bool limited,
                TimePoint now);
  // A round trip of what was sent more than once: it may have been longer.
  void on_unsure(Duration rtt) {
    if (rtt < smoothed_) smoothed_ += (rtt - smoothed_) / 8;
    round_.unsure = round_.unsure == Duration{} ? rtt : std::min(round_.unsure, rtt);
  }
  void on_lost(std::uint32_t count) { round_.lost += count; }
  // The path has marked something instead of dropping it.
  void on_marked();
  // Nothing has come back for so long that all is taken for lost.
  void on_timeout();

  std::size_t window() const;
  // Between two datagrams; zero: there is no need to wait.
  Duration interval() const;
  // When one may go whatever interval() says, to see how the path is.
  TimePoint probe_at() const { return probing_ ? look_from_ : TimePoint::max(); }
  // As long as something is on its way, on_timer() is to be called then.
  TimePoint deadline() const { return mode_ == Mode::look ? look_end_ : next_look_; }
  void on_timer(TimePoint now);
  double rate() const { return rate_; }  // what the path delivers; 0: not known
  Path path() const { return {floor_.get(), window_, part_.group()}; }
  Duration base() const { return floor_.get(); }
  enum class Mode : std::uint8_t { start, drain, steady, look };
  Mode mode() const { return mode_; }

 private:
  static constexpr std::size_t kRounds = 8;  // of the filter, and of the cycle of trying more
  static constexpr double kLossWithQueue = 0.02;
  struct Round {
    TimePoint begin{};
    std::uint64_t end = 0;  // acknowledged, it ends the round
    std::uint32_t acked = 0;
    std::uint32_t lost = 0;
    bool marked = false;
    std::uint32_t samples = 0;
    Duration least{};
    Duration unsure{};  // the shortest that may have been longer; zero: there was none
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
  double ceiling_;   // what the path has shown that it does not take
  double held_ = 0;  // beside others, whatever the queue; 0: there are none
  double held_before_ = 0;
  double yielded_from_ = 0;  // the window when a full queue lost something
  TimePoint yielded_at_{};
  PathGroup::Part part_;
  PathFloor floor_;
  Duration smoothed_{};
  Duration queue_{};  // of the last round, at least
  Duration queue_before_{};
  double rate_ = 0;
  double loss_ = 0;  // part of what was sent, smoothed
  std::array<float, kRounds> rates_{};
  Round round_;
  std::uint64_t newest_ = 0;
  std::uint8_t phase_ = 0;        // of the cycle
  std::uint8_t flat_rounds_ = 0;  // in a row
  std::uint8_t late_ = 0;         // acknowledgements in a row
  TimePoint late_at_{};           // the last of them
  double more_ = 0;               // in flight, to see whether there is room
  std::uint8_t grown_ = 0;        // cycles in a row
  std::uint8_t marked_ = 0;       // rounds in which nothing more is tried, after a mark
  Mode mode_ = Mode::start;
  bool queued_ = false;  // of late
  bool clear_ = true;    // no queue and no loss was ever seen
  double rate_before_ = 0;
  double start_rate_ = 0;  // when the start ended, not long ago
  double most_rate_ = 0;   // of late
  TimePoint next_look_{};
  unsigned looks_ = 0;
  std::uint64_t look_ = 0;      // the number of it, the same for all
  std::uint8_t turn_ = 0;       // to probe
  bool probing_ = false;        // one more is to be sent while it looks
  bool judging_ = false;        // what the look showed is still coming back
  bool together_ = false;       // the other sessions look as well
  bool others_before_ = false;  // were seen in the look before
  int blind_rounds_ = 0;        // in a row, in which nothing that was sent once came back
  int alone_looks_ = 0;         // in a row, beside others who are not to be seen any more
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
