// Answers what comes to the sockets of one thread.
#pragma once

#include <cstdint>
#include <echo/printer.hpp>
#include <echo/serve_settings.hpp>
#include <echo/spin_policy.hpp>
#include <optional>
#include <string>
#include <string_view>

#include <netkit/net/server_sockets.hpp>
#include <netkit/net/tcp_server.hpp>
#include <netkit/net/udp_server.hpp>

namespace netkit::echo {

// [loop]
class Responder final : private UdpServer::Handler {
 public:
  // All references outlive it.
  Responder(EventLoop& loop, ServerSockets sockets, const ServeSettings& settings,
            ClientCount& clients, Printer& printer, const Log& log);
  void add_to(ServeCounters& counters) const;

 private:
  class Client;

  void on_message(const ReceivedMessage& message) override;
  void on_datagram(const ReceivedMessage& from, std::string_view datagram) override;
  void on_refused(const ReceivedMessage& message, Refusal why) override;
  void on_read(Client& client, std::string_view data);
  std::string_view render(const Message& message);

  EventLoop& loop_;
  const ServeSettings& settings_;
  Printer& printer_;
  Spinner spinner_;
  ServeCounters counters_;       // what the servers do not count themselves
  std::uint64_t datagrams_ = 0;  // that were rendered or printed
  std::uint64_t reads_ = 0;      // likewise
  WallTime time_{};              // of the datagrams at hand
  std::string rendered_;
  std::optional<UdpServer> udp_;
  std::optional<TcpServer> tcp_;
};

}  // namespace netkit::echo
