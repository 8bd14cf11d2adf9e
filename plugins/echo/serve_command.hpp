// `netkit echo serve`: the sockets, their responders, and the threads they run on.
#pragma once

#include <echo/printer.hpp>
#include <echo/serve_settings.hpp>
#include <echo/tcp_responder.hpp>
#include <echo/udp_responder.hpp>
#include <memory>
#include <optional>
#include <vector>

#include <netkit/loop/worker_loops.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/net/server_sockets.hpp>
#include <netkit/plugin/plugin.hpp>

namespace netkit::echo {

class ServeCommand final : public Command {
 public:
  void configure(const Values& values) override;
  ExitStatus run(Host& host) override;

 private:
  // What one thread has: nothing of it is used on another.
  struct Responders {
    std::unique_ptr<RelayPrinter> relay;  // but on the main loop
    std::unique_ptr<Spinner> spinner;
    std::unique_ptr<UdpResponder> udp;
    std::unique_ptr<TcpResponder> tcp;
    void add_to(ServeCounters& counters) const;
  };

  ServerSockets open_sockets() const;
  void fill(Responders& responders, EventLoop& loop, ServerSockets sockets, Printer& printer,
            const Log& log);
  void start_workers(Host& host);
  ServeCounters count();
  void stop();

  AddressSpec address_;
  ServeSettings settings_;
  bool udp_ = true;
  bool tcp_ = true;
  unsigned threads_ = 1;
  ClientCount clients_ = 0;
  std::unique_ptr<OutputPrinter> printer_;
  Responders main_;
  std::vector<Responders*> others_;  // by thread, from 0; each used on its thread only
  std::unique_ptr<WorkerLoops> workers_;
  std::optional<ServeCounters> final_;  // once it has stopped
};

}  // namespace netkit::echo
