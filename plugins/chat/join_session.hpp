// A member who speaks the native dialect, between his input, the room and the output.
#pragma once

#include <chat/history.hpp>
#include <chat/join_command.hpp>
#include <chat/member.hpp>
#include <chat/typed_line.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include <netkit/datagram/link.hpp>
#include <netkit/io/input.hpp>
#include <netkit/plugin/host.hpp>

namespace netkit::chat {

// [loop] Comes back by the one policy.
class JoinSession final : private datagram::Link::Handler,
                          private Member::Handler,
                          private Input::Handler {
 public:
  // Both outlive it.
  JoinSession(Host& host, const JoinOptions& options);
  ExitStatus run();

 private:
  void on_joined(const Welcome& welcome) override;
  void on_rejected(std::uint16_t code, std::string_view why) override;
  void on_event(const FromRoom& event, std::uint64_t seq) override;
  void on_gap(const datagram::Gap& gap) override;
  void on_refused(std::string_view text, std::string_view why) override;
  void on_lost(datagram::LeftReason reason, std::string_view text) override;
  void on_finished() override;
  void on_ready() override;
  void on_unreachable(int error) override;
  void on_attempt() override { member_.connect(host_.loop().now()); }
  void on_gave_up(ExitStatus status, const std::string& error) override { give_up(status, error); }
  void on_input_line(std::string_view line) override;
  void on_input_end() override;
  bool on_input_failed(ExitStatus status, const std::string& error) override;

  void try_again(std::string_view why, RetryBounds bounds = {});
  void obey(const TypedLine& typed);
  void say(const Request& request, std::string_view text);
  void ignore(std::string_view name);
  void follow_roster(const FromRoom& event);
  void show_roster();
  void count_message(const FromRoom& event);
  void begin_end();
  void stop(StopReason reason);
  void give_up(ExitStatus status, const std::string& why);
  void finish(ExitStatus status, const std::string& why = {});
  void undelivered(std::string_view text, std::string_view why);
  void show(Totals& totals) const;

  Host& host_;
  const JoinOptions& options_;
  History history_;
  EventPrinter printer_;
  Member member_;
  datagram::Link link_;
  std::unique_ptr<Input> input_;
  std::set<std::string, std::less<>> roster_;
  std::set<std::string, std::less<>> ignored_;
  bool listing_ = false;       // the roster is coming
  bool show_listing_ = false;  // because somebody asked
  bool joined_ = false;        // at least once
  bool paused_ = false;
  bool stopping_ = false;
  std::uint64_t received_ = 0;
  std::uint64_t said_ = 0;
  std::uint64_t undelivered_ = 0;
  std::uint64_t lost_ = 0;
  std::optional<ExitStatus> input_failure_;
  std::string input_error_;
  TimePoint joined_at_{};
  Hook hung_up_;
  Timer patience_;
};

}  // namespace netkit::chat
