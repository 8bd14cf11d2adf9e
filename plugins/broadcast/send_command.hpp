// `netkit broadcast send`: messages to everybody, and their answers.
#pragma once

#include <broadcast/answer_table.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/net/address_spec.hpp>
#include <netkit/net/datagram_receiver.hpp>
#include <netkit/net/datagram_sender.hpp>
#include <netkit/net/interfaces.hpp>
#include <netkit/net/udp_socket.hpp>
#include <netkit/plugin/plugin.hpp>
#include <netkit/record/source.hpp>

namespace netkit::broadcast {

inline constexpr std::string_view kAnswerRecord = "answer";

// Messages given as arguments are sent one after the other, each with its whole wait; what comes
// from sources is sent as it comes, and the wait follows the last.
class SendCommand final : public Command, private Sources::Handler {
 public:
  void configure(const Values& values) override;
  ExitStatus run(Host& host) override;

 private:
  void on_source_record(std::string_view text, WallTime time) override;
  void on_sources_end() override;
  bool on_source_failed(ExitStatus status, const std::string& error) override;

  void open_socket();
  void send_next_argument();
  void begin(std::string message);
  void send_once();
  void repeated();
  void wait_for_answers();
  void waited();
  void finish();
  void on_ready();
  void on_message(const ReceivedMessage& message);
  bool enough() const;

  AddressSpec address_;
  std::vector<std::string> interfaces_;
  std::deque<std::string> arguments_;
  bool from_sources_ = false;
  Duration wait_{};
  Duration interval_{};
  std::uint64_t replies_ = 0;  // 0: as many as come
  std::uint64_t expect_ = 0;
  std::int64_t repeat_ = 1;
  unsigned ttl_ = 1;
  std::size_t max_responders_ = 0;

  Host* host_ = nullptr;
  UdpSocket socket_;
  std::vector<BroadcastTarget> targets_;
  DatagramSender sender_;
  std::unique_ptr<DatagramReceiver> receiver_;
  std::unique_ptr<AnswerTable> table_;
  std::unique_ptr<Sources> sources_;
  Watch watch_;
  Timer timer_;
  std::string message_;
  std::int64_t left_ = 0;  // of the repetitions
  TimePoint sent_at_;
  std::uint64_t messages_ = 0;
  std::uint64_t failed_ = 0;  // datagrams in a row that the kernel refused
  std::string last_refusal_;
  int last_error_ = 0;
  std::uint64_t too_long_ = 0;         // messages that fit into no datagram
  std::optional<ExitStatus> failure_;  // of a source, and why
  std::string error_;
};

}  // namespace netkit::broadcast
