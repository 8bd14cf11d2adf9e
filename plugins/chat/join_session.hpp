// A member that speaks the native dialect, between its input, the room and the output.
#pragma once

#include <chat/join_command.hpp>
#include <chat/member.hpp>
#include <chat/typed_line.hpp>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace netkit::chat {

class JoinSession final : public JoinRun, private Member::Handler {
 public:
  JoinSession(Host& host, const JoinOptions& options);

 private:
  datagram::Driver::Handler& driven() override { return member_; }
  void begin() override;
  void stop() override;
  void show(Totals& totals) const override;
  std::vector<std::string> complete(std::string_view line, std::string_view word) const override;
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
  bool try_next_name();
  void say(const Request& request);
  void show_own(const Say& said);
  void follow_roster(const FromRoom& event);
  void show_roster();
  void count_message(const FromRoom& event);
  void begin_end();
  void give_up(ExitStatus status, const std::string& why);
  void finish(ExitStatus status, const std::string& why = {});
  void undelivered(std::string_view text, std::string_view why);

  EventPrinter printer_;
  Member member_;
  std::set<std::string, std::less<>> roster_;
  IgnoreList ignored_;
  bool listing_ = false;       // the roster is coming
  bool show_listing_ = false;  // because somebody asked
  bool joined_ = false;        // at least once
  bool paused_ = false;
  bool stopping_ = false;
  bool told_to_wait_ = false;  // that what is typed has to wait for the room
  std::uint64_t received_ = 0;
  std::uint64_t said_ = 0;
  std::uint64_t undelivered_ = 0;
  std::uint64_t lost_ = 0;
  std::optional<ExitStatus> input_failure_;
  std::string input_error_;
  TimePoint joined_at_{};
  int names_tried_ = 1;
  Timer rename_;
  Hook hung_up_;
  Timer patience_;
};

}  // namespace netkit::chat
