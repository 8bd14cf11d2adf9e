// `netkit echo ping`: how long a server takes to answer, and how reliably it does.
#pragma once

#include <cstdint>
#include <echo/ping_statistics.hpp>
#include <optional>
#include <string>
#include <string_view>

#include <netkit/net/address_spec.hpp>
#include <netkit/net/udp_client.hpp>
#include <netkit/plugin/plugin.hpp>

namespace netkit::echo {

class PingCommand final : public Command, private UdpClient::Handler {
 public:
  void configure(const Values& values) override;
  ExitStatus run(Host& host) override;

 private:
  void on_datagram(std::string_view reply) override;
  void on_next_address(int error) override;
  void on_refused(int error) override;

  void start();
  void send_probe();
  void start_waiting();
  void knock();
  void transmit();
  void say_target();
  void emit_reply(std::uint32_t number, std::size_t size, const PingStatistics::Reply& reply);
  void end();
  ExitStatus verdict() const;
  std::string verdict_error() const;
  void show(Totals& totals) const;

  AddressSpec address_;
  std::optional<std::uint64_t> count_;
  Duration interval_{};
  Duration wait_{};
  std::optional<Duration> wait_for_;
  std::size_t size_ = 0;
  PingThresholds thresholds_;

  Host* host_ = nullptr;
  std::optional<UdpClient> client_;
  PingStatistics statistics_;
  std::uint64_t id_ = 0;
  bool waiting_ = false;  // for the service, by --wait-for
  bool ended_ = false;
  std::string probe_;
  std::uint32_t number_ = 0;
  std::uint64_t refused_ = 0;
  int last_error_ = 0;
  Timer next_;
  Timer deadline_;
};

}  // namespace netkit::echo
