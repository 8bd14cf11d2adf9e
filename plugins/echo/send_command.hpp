// `netkit echo send`: messages from the command line or standard input, and their replies.
#pragma once

#include <cstdint>
#include <deque>
#include <echo/send_client.hpp>
#include <memory>
#include <string>
#include <string_view>

#include <netkit/io/input.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/plugin/plugin.hpp>

namespace netkit::echo {

inline constexpr std::string_view kReplyRecord = "reply";
inline constexpr std::string_view kLateRecord = "late";

class SendCommand final : public Command, private SendClient::Handler, private Input::Handler {
 public:
  void configure(const Values& values) override;
  ExitStatus run(Host& host) override;

 private:
  void on_open() override;
  void on_reply(std::string_view reply) override;
  void on_late(std::string_view reply) override;
  void on_failed(ExitStatus status, const std::string& error) override;
  void on_input_line(std::string_view line) override;
  void on_input_end() override;

  void send_next();
  void send(const std::string& message);
  void miss(const std::string& why);
  void emit(std::string_view type, std::string_view reply, bool with_rtt);
  std::string decode(std::string_view text) const;

  AddressSpec address_;
  std::deque<std::string> messages_;  // that are to be sent
  bool reads_input_ = false;
  bool tcp_ = false;
  bool hex_ = false;
  Duration wait_{};
  Duration connect_timeout_ = kNever;

  Host* host_ = nullptr;
  std::unique_ptr<SendClient> client_;
  std::unique_ptr<Input> input_;
  std::string current_;
  bool open_ = false;
  bool waiting_ = false;
  TimePoint sent_at_;
  Timer overdue_;
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t late_ = 0;
  std::uint64_t missing_ = 0;
};

}  // namespace netkit::echo
