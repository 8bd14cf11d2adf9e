// A member who speaks the native dialect, between his input, the room and the output.
#pragma once

#include <chat/event_printer.hpp>
#include <chat/history.hpp>
#include <chat/join_settings.hpp>
#include <chat/member.hpp>
#include <chat/typed_line.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/datagram/driver.hpp>
#include <netkit/io/input.hpp>
#include <netkit/net/reconnect.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/util/random.hpp>

namespace netkit::chat {

// [loop] Reconnects by the one policy; every try takes the next of the room's addresses.
class JoinSession final : public Member::Handler, public Input::Handler {
 public:
  // Both outlive it.
  JoinSession(Host& host, const JoinSettings& settings);
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
  void on_input_line(std::string_view line) override;
  void on_input_end() override;
  bool on_input_failed(ExitStatus status, const std::string& error) override;

  void connect();
  // The next address, or the one that was in use once more; after the delay of the policy, or at
  // once.
  enum class Retry : std::uint8_t { next_address, same_address, same_address_at_once };
  void try_again(const std::string& why, Retry retry = Retry::next_address);
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
  Member::Options member_options() const;
  void show(Totals& totals) const;

  Host& host_;
  const JoinSettings& settings_;
  History history_;
  EventPrinter printer_;
  std::vector<Endpoint> addresses_;
  std::size_t address_ = 0;  // the one in use
  Reconnect reconnect_;
  RandomEngine random_;
  std::unique_ptr<Member> member_;
  std::unique_ptr<datagram::Driver> driver_;
  std::unique_ptr<Input> input_;
  std::set<std::string, std::less<>> roster_;
  std::set<std::string, std::less<>> ignored_;
  bool listing_ = false;       // the roster is coming
  bool show_listing_ = false;  // because somebody asked
  bool joined_ = false;        // at least once
  bool down_ = false;          // said that the room cannot be reached
  std::size_t failed_ = 0;     // addresses in a row that did not answer
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
  Timer retry_;
  Timer patience_;
};

}  // namespace netkit::chat
