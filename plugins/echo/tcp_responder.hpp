// Answers the TCP clients of one thread.
#pragma once

#include <cstdint>
#include <echo/printer.hpp>
#include <echo/serve_settings.hpp>
#include <echo/spin_policy.hpp>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/net/tcp_server.hpp>

namespace netkit::echo {

// [loop]
class TcpResponder {
 public:
  // All references outlive it.
  TcpResponder(EventLoop& loop, std::vector<FileDescriptor> listening,
               const ServeSettings& settings, ClientCount& clients, Printer& printer,
               Spinner& spinner, const Log& log);
  void add_to(ServeCounters& counters) const;

 private:
  class Client;
  void answer(Client& client, std::string_view data);

  const ServeSettings& settings_;
  Printer& printer_;
  Spinner& spinner_;
  std::string rendered_;
  std::uint64_t number_ = 0;
  ServeCounters counters_;
  TcpServer server_;
};

}  // namespace netkit::echo
