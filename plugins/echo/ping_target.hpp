// One server that `echo ping` measures.
#pragma once

#include <cstdint>
#include <echo/ping_statistics.hpp>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <string_view>

#include <netkit/net/tcp_client.hpp>
#include <netkit/net/tcp_connector.hpp>
#include <netkit/net/udp_client.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/util/error.hpp>

namespace netkit::echo {

struct PingOptions {
  std::optional<std::uint64_t> count;
  Duration interval{};
  Duration wait{};
  std::optional<Duration> wait_for;  // until the service answers, before anything is measured
  std::size_t size = 0;
  unsigned dscp = 0;
  Thresholds thresholds;
  // How probes travel: as datagrams, over a TCP connection, or as the handshake of one.
  enum class Way : std::uint8_t { udp, tcp, connect } way = Way::udp;
  bool many = false;  // there are other targets: what is said of this one names it
};

// [loop] Sends probes, prints the result of each, and keeps the numbers.
class PingTarget final : private UdpClient::Handler, private TcpClient::Handler {
 public:
  // All references outlive it. `on_end` is called once, when it has ended.
  PingTarget(Host& host, const PingOptions& options, const AddressSpec& address,
             std::function<void()> on_end);

  void start();                                            // throws Error
  void fail(ExitStatus status, const std::string& error);  // ends it without a report
  void end();                                              // now
  bool ended() const { return ended_; }
  bool failed() const { return failure_.has_value(); }
  // The result, and why it is not `done`.
  ExitStatus verdict() const;
  std::string verdict_error() const;
  std::string peer() const;
  std::string name() const { return address_.to_string(); }  // as it was typed
  const PingStatistics& statistics() const { return statistics_; }

 private:
  struct Handshake {
    explicit Handshake(EventLoop& loop) : connector(loop) {}
    TcpConnector connector;
  };

  void on_datagram(std::string_view reply) override;
  void on_next_address(int error) override;
  void on_refused(int error) override { on_refused(error, error_text(error)); }
  void on_connected(TcpClient& client) override;
  void on_data(TcpClient& client, std::string_view data) override;
  void on_gave_up(TcpClient& client, ExitStatus status, const std::string& error) override;

  void on_refused(int error, const std::string& why);
  void on_reply(std::string_view reply);
  void start_probing();
  void start_waiting();
  void knock();
  void send_probe();
  void transmit();
  void shake_hands(std::uint32_t number);
  void on_handshake(std::uint32_t number, const ConnectResult& result);
  void on_answer(std::uint32_t number, std::size_t size);
  void say_target();
  void check_overdue();
  void emit_reply(std::uint32_t number, std::size_t size, const PingStatistics::Reply& reply);
  void emit_lost(std::uint32_t number);
  const Endpoint* endpoint() const;
  bool all_sent() const { return options_.count && number_ >= *options_.count; }

  Host& host_;
  const PingOptions& options_;
  AddressSpec address_;
  std::function<void()> on_end_;
  std::optional<UdpClient> client_;
  std::optional<TcpClient> stream_;
  bool connecting_ = false;
  std::string received_;             // of a stream: part of a reply
  std::list<Handshake> handshakes_;  // under way
  Endpoint connected_;               // the address that took the last one
  PingStatistics statistics_;
  std::uint64_t id_ = 0;
  std::string probe_;
  std::uint32_t number_ = 0;   // of the last probe
  std::uint32_t settled_ = 0;  // up to this one each is answered or said to be lost
  bool waiting_ = false;       // for the service, by --wait-for
  bool refusing_ = false;      // which has been said
  bool ended_ = false;
  int last_error_ = 0;
  std::optional<ExitStatus> failure_;  // that ended it, and why
  std::string error_;
  Timer next_;
  Timer overdue_;
};

}  // namespace netkit::echo
