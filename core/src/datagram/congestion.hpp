// How much a session may have on its way, and how fast it may send (RFC 8085, section 3.1).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit::datagram {

// One direction of one session over a path that others use, too. Random loss is no signal, as a
// wireless link may lose a fifth of what it carries. So this follows a model of the path, as BBR
// does (draft-cardwell-iccrg-bbr): what was delivered a second, at most, within the last rounds,
// and the shortest round trip of the last seconds. It sends as fast as the one and has on its way
// twice the product of both, now and then tries a little more, and every five seconds little enough
// to see the round trip alone. Loss counts where it comes with a queue, and where it is over a
// quarter.
//
// Pure: no clock, no socket. Windows are in datagrams, rates in datagrams a second. [one thread]
class NETKIT_API CongestionController {
 public:
  static constexpr double kInitialWindow = 10;  // RFC 9002, section 7.2

  // What is known of the path: its round trip without a queue (zero: nothing), and what a session
  // that goes the same way may have.
  struct Path {
    Duration base{};
    double window = kInitialWindow;
  };
  CongestionController(const Path& known, double max_window);

  // The round trip of the handshake, in which nothing of this session was on its way.
  void on_handshake(Duration rtt) {
    if (base_ == Duration{} || rtt < base_) base_ = rtt;
  }
  // A sending, the `order`th one.
  void on_sent(std::uint64_t order, TimePoint now);
  // So many sendings are acknowledged, the newest of which is the `order`th. `rtt`: the round trip
  // without the time that the receiver took; zero: there is none. `limited`: the window or the pace
  // was what held back.
  void on_acked(std::uint32_t count, std::uint64_t order, Duration rtt, bool limited,
                TimePoint now);
  void on_lost(std::uint32_t count) { round_.lost += count; }
  // Nothing has come back for so long that all is taken for lost.
  void on_timeout();

  std::size_t window() const;
  // Between two datagrams; zero: there is no need to wait.
  Duration interval() const;
  double rate() const { return rate_; }  // what the path delivers; 0: not known
  Path path() const { return {base_, window_}; }
  enum class Mode : std::uint8_t { start, drain, steady, look };
  Mode mode() const { return mode_; }

 private:
  static constexpr std::size_t kRounds = 8;  // of the filter, and of the cycle of trying more
  struct Round {
    TimePoint begin{};
    std::uint64_t end = 0;  // acknowledged, it ends the round
    std::uint32_t acked = 0;
    std::uint32_t lost = 0;
    std::uint32_t samples = 0;
    Duration least{};
    bool limited = false;
  };

  void end_round(TimePoint now);
  void learn_rate(double rate, bool limited);
  void judge_loss(double rate, Duration queue);
  void step(Duration queue, TimePoint now);
  void begin_look(Duration queue, TimePoint now);
  void end_look();
  void set_window();
  double gain() const;
  double product() const;  // of rate and round trip

  double max_window_;
  double window_;
  double ceiling_;  // what the path has shown that it does not take
  Duration base_;
  Duration smoothed_{};
  double rate_ = 0;
  double loss_ = 0;  // part of what was sent, smoothed
  std::array<float, kRounds> rates_{};
  std::uint64_t newest_ = 0;
  Round round_;
  std::uint8_t phase_ = 0;  // of the cycle
  std::uint8_t flat_rounds_ = 0;
  std::uint8_t grown_ = 0;  // cycles in a row
  Mode mode_ = Mode::start;
  bool queued_ = false;  // of late
  bool clear_ = true;    // no queue and no loss was ever seen
  double rate_before_ = 0;
  std::int64_t looked_ = 0;  // the last time, counted in what lies between two
  TimePoint look_end_{};
  Duration look_least_{};
  Duration queue_before_{};
  double most_rate_ = 0;  // of late
};

}  // namespace netkit::datagram
