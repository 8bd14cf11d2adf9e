// `netkit echo send`: messages from the command line or standard input, and their replies.
#pragma once

#include <cstdint>
#include <deque>
#include <echo/send_client.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/io/input.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/plugin/plugin.hpp>

namespace netkit::echo {

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
  void transmit();
  void wait_for_service();
  void read_whole_input();
  bool waits_for_service() const { return wait_for_ && received_ == 0; }
  void miss(const std::string& why);
  void emit(std::string_view type, std::string_view reply, bool with_rtt);
  std::string decode(std::string_view text) const;

  std::vector<AddressSpec> servers_;
  std::deque<std::string> messages_;  // that are to be sent
  bool reads_input_ = false;
  bool tcp_ = false;
  bool hex_ = false;
  bool whole_ = false;  // standard input is one message
  Duration wait_{};
  std::optional<Duration> wait_for_;
  Duration connect_timeout_ = kNever;

  Host* host_ = nullptr;
  std::unique_ptr<SendClient> client_;
  std::unique_ptr<Input> input_;
  std::string current_;
  bool open_ = false;
  bool waiting_ = false;
  TimePoint sent_at_;
  Timer overdue_;
  Timer deadline_;  // by which any answer must have come
  std::string last_error_;
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t late_ = 0;
  std::uint64_t missing_ = 0;
};

}  // namespace netkit::echo
