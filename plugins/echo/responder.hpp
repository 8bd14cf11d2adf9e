// Answers what the sockets of one thread receive.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <echo/printer.hpp>
#include <optional>
#include <string>
#include <string_view>

#include <netkit/loop/spin_policy.hpp>
#include <netkit/net/server_sockets.hpp>
#include <netkit/net/tcp_server.hpp>
#include <netkit/net/udp_server.hpp>
#include <netkit/record/template.hpp>
#include <netkit/record/totals.hpp>

namespace netkit::echo {

// The settings of `echo serve`. Read only while the server runs; all its threads share one.
struct ServeSettings {
  Template reply;
  AnswerPolicy::Options policy;  // its rate is of messages a source, TCP reads too
  std::size_t max_clients = 0;
  Duration idle_timeout = kNever;
};

// TCP clients of all threads together: they share one limit.
using ClientCount = std::atomic<std::size_t>;

// [loop]
class Responder final : private UdpServer::Handler {
 public:
  // All references outlive it; `print` may be empty.
  Responder(EventLoop& loop, ServerSockets sockets, const ServeSettings& settings,
            ClientCount& clients, Print print, const Log& log);
  void add_to(Totals& totals) const;

 private:
  class Client;

  void on_message(const ReceivedMessage& message) override;
  void on_datagram(const ReceivedMessage& from, std::string_view datagram) override;
  void on_refused(const ReceivedMessage& message, Refusal why) override;
  void on_read(Client& client, std::string_view data);
  void count(const ReceivedMessage& message);
  std::string_view render(const Message& message);

  EventLoop& loop_;
  const ServeSettings& settings_;
  Print print_;
  Spinner spinner_;
  std::uint64_t received_ = 0;  // datagrams and TCP reads
  std::uint64_t bytes_received_ = 0;
  std::uint64_t written_ = 0;  // answers, by TCP
  std::uint64_t bytes_written_ = 0;
  std::uint64_t datagrams_ = 0;  // that were rendered or printed
  std::uint64_t reads_ = 0;      // likewise
  WallTime time_{};              // of the datagrams at hand
  std::string rendered_;
  std::optional<UdpServer> udp_;
  std::optional<TcpServer> tcp_;
};

}  // namespace netkit::echo
