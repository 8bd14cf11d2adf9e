// A member that uses the plain dialect.
#pragma once

#include <chat/join_command.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/datagram/plain_fanout.hpp>

namespace netkit::chat {

// `reg`, heartbeats, lines as typed, and `quit` at the end of input; `end` ends it.
class PlainSession final : public JoinRun, private datagram::Driver::Handler {
 public:
  using JoinRun::JoinRun;

 private:
  datagram::Driver::Handler& driven() override { return *this; }
  void stop() override { quit(); }
  void show(Totals& totals) const override;
  void on_attempt() override;
  void on_gave_up(ExitStatus status, const std::string& error) override {
    host_.finish(status, error);
  }
  void on_datagram(const datagram::Path& from, std::string_view datagram, TimePoint now) override;
  void tick(TimePoint now) override;
  TimePoint next_deadline() const override { return next_heartbeat_; }
  bool drain(datagram::OutputQueue& queue, TimePoint now) override;
  void on_refused(const Endpoint& to, int error) override;
  void on_next_address(TimePoint now) override { greet(now); }
  void on_input_line(std::string_view line) override;
  void on_input_end() override;
  bool on_input_failed(ExitStatus status, const std::string& error) override;

  void greet(TimePoint now);
  bool must_hold_input() const;
  void quit(ExitStatus status = ExitStatus::done, const std::string& error = {});

  static constexpr std::size_t kMaxQueue = 1024;  // datagrams; then the input waits

  datagram::PlainFanout out_;
  std::vector<std::string> unheard_;  // what was said before any answer
  datagram::Counters counters_;
  TimePoint next_heartbeat_ = TimePoint::max();
  std::uint64_t received_ = 0;
  std::uint64_t sent_ = 0;
  bool waiting_ = false;  // the input, for out_
  bool heard_ = false;    // in this attempt
  bool ever_heard_ = false;
};

}  // namespace netkit::chat
