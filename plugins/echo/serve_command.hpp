// `netkit echo serve`: the sockets, their responders, and the threads they run on.
#pragma once

#include <echo/printer.hpp>
#include <echo/responder.hpp>
#include <memory>
#include <optional>
#include <vector>

#include <netkit/loop/worker_loops.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/plugin/plugin.hpp>

namespace netkit::echo {

class ServeCommand final : public Command {
 public:
  void configure(const Values& values) override;
  ExitStatus run(Host& host) override;

 private:
  // What a thread other than the main one has.
  struct Worker {
    Worker(EventLoop& own, EventLoop& main_loop, const Print& print)
        : relay(own, main_loop, print) {}
    RelayPrinter relay;
    std::optional<Responder> responder;
  };

  ServerSockets open_sockets(bool further) const;
  void start_workers(Host& host, std::vector<ServerSockets> sockets);
  Totals count();
  void stop();

  AddressSpec address_;
  ServeSettings settings_;
  bool udp_ = true;
  bool tcp_ = true;
  unsigned threads_ = 1;
  ClientCount clients_ = 0;
  Print print_;
  std::optional<Responder> main_;
  std::vector<Worker*> others_;  // by thread, from 0; each used on its thread only
  std::unique_ptr<WorkerLoops> workers_;
  std::optional<Totals> final_;  // once it has stopped
};

}  // namespace netkit::echo
