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
#include <netkit/net/interfaces.hpp>
#include <netkit/net/udp_server.hpp>
#include <netkit/plugin/plugin.hpp>
#include <netkit/record/source.hpp>
#include <netkit/util/quantity.hpp>

namespace netkit::broadcast {

// Messages given as arguments are sent one after the other, each with its whole wait; what comes
// from sources is sent as it comes, and the wait follows the last.
class SendCommand final : public Command, private Sources::Handler, private UdpServer::Handler {
 public:
  void configure(const Values& values) override;
  ExitStatus run(Host& host) override;

 private:
  void on_source_record(std::string_view text, WallTime time) override;
  void on_sources_end() override;
  bool on_source_failed(ExitStatus status, const std::string& error) override;
  void on_datagram(const ReceivedMessage& from, std::string_view datagram) override;
  void on_not_sent(const Endpoint& to, int error) override;
  void on_unblocked() override { sent_once(); }

  UdpSocket open_socket();
  std::vector<BroadcastTarget> find_targets() const;
  void refresh_targets();
  void say_targets(const std::vector<BroadcastTarget>& before) const;
  void send_next_argument();
  void begin(std::string message);
  Duration over_rate(TimePoint now);
  void send_once();
  void sent_once();
  void repeated();
  void wait_for_answers();
  void waited();
  void finish();
  bool enough() const;
  void fill(Totals& totals) const;

  AddressSpec address_;
  std::vector<std::string> interfaces_;
  std::deque<std::string> arguments_;
  bool from_sources_ = false;
  bool hex_ = false;
  Duration wait_{};
  Duration interval_{};
  std::uint64_t replies_ = 0;  // 0: as many as come
  std::uint64_t expect_ = 0;
  std::int64_t repeat_ = 1;
  unsigned ttl_ = 1;
  double plain_rate_ = 0;  // bytes a second to other machines; 0: no limit
  std::size_t max_responders_ = 0;

  Host* host_ = nullptr;
  Endpoint endpoint_;  // what the address is
  Endpoint local_;     // what the socket is bound to
  std::vector<BroadcastTarget> targets_;
  std::optional<TokenBucket> bucket_;  // of plain_rate_
  TimePoint targets_found_;
  std::optional<UdpServer> server_;
  std::optional<AnswerTable> table_;
  std::unique_ptr<Sources> sources_;
  Timer timer_;
  std::string message_;
  std::int64_t left_ = 0;  // of the repetitions
  TimePoint sent_at_;
  std::uint64_t messages_ = 0;
  std::uint64_t failed_ = 0;  // datagrams of the last sending that the kernel refused
  std::string last_refusal_;
  int last_error_ = 0;
  std::uint64_t too_long_ = 0;         // messages that fit into no datagram
  std::optional<ExitStatus> failure_;  // of a source, and why
  std::string error_;
};

}  // namespace netkit::broadcast
