// A member who speaks the plain dialect.
#pragma once

#include <chat/history.hpp>
#include <chat/join_command.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/datagram/driver.hpp>
#include <netkit/datagram/plain_fanout.hpp>
#include <netkit/io/input.hpp>
#include <netkit/plugin/host.hpp>

namespace netkit::chat {

// [loop] `reg`, heartbeats, lines as typed, and `quit` at the end of input; `end` ends it.
class PlainSession final : public datagram::Driver::Handler, public Input::Handler {
 public:
  // Both outlive it.
  PlainSession(Host& host, const JoinOptions& options);
  ExitStatus run();

 private:
  void on_datagram(const datagram::Path& from, std::string_view datagram, TimePoint now) override;
  void tick(TimePoint now) override;
  TimePoint next_deadline() const override { return next_heartbeat_; }
  bool drain(datagram::OutputQueue& queue, TimePoint now) override;
  void on_refused(const Endpoint& to, int error) override;
  void on_next_address(TimePoint now) override;
  void on_input_line(std::string_view line) override;
  void on_input_end() override;
  bool on_input_failed(ExitStatus status, const std::string& error) override;

  void send(std::string_view text);
  void quit(ExitStatus status = ExitStatus::done, const std::string& error = {});
  const Endpoint& server() const { return driver_->peer(); }

  static constexpr std::size_t kMaxQueue = 1024;  // datagrams; then the input waits

  Host& host_;
  const JoinOptions& options_;
  History history_;
  std::unique_ptr<datagram::Driver> driver_;
  std::unique_ptr<Input> input_;
  datagram::PlainFanout out_;
  std::vector<std::string> unheard_;  // what was said before any answer
  TimePoint next_heartbeat_ = TimePoint::max();
  std::uint64_t received_ = 0;
  std::uint64_t sent_ = 0;
  bool waiting_ = false;  // the input, for out_
  bool unreachable_ = false;
  bool heard_ = false;  // so the address in use is the right one
};

}  // namespace netkit::chat
