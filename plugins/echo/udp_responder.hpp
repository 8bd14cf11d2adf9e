// Answers what comes to the UDP sockets of one thread.
#pragma once

#include <cstdint>
#include <echo/printer.hpp>
#include <echo/serve_settings.hpp>
#include <echo/spin_policy.hpp>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/udp_server.hpp>

namespace netkit::echo {

// [loop]
class UdpResponder final : private UdpServer::Handler {
 public:
  // All references outlive it.
  UdpResponder(EventLoop& loop, std::vector<UdpSocket> sockets, const ServeSettings& settings,
               Printer& printer, Spinner& spinner, const Log& log);
  void add_to(ServeCounters& counters) const;

 private:
  void on_message(const ReceivedMessage& message) override;
  void on_datagram(const ReceivedMessage& from, std::string_view datagram) override;
  void on_refused(const ReceivedMessage& message, Refusal why) override;
  void count(const ReceivedMessage& message);

  EventLoop& loop_;
  const ServeSettings& settings_;
  Printer& printer_;
  Spinner& spinner_;
  UdpServer server_;
  WallTime time_{};  // of the message at hand
  std::string rendered_;
  std::uint64_t number_ = 0;  // of datagrams that were rendered or printed
  std::uint64_t received_ = 0;
  std::uint64_t bytes_received_ = 0;
};

}  // namespace netkit::echo
