#include <echo/serve_command.hpp>
#include <string>
#include <utility>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/util/error.hpp>

namespace netkit::echo {

namespace {

std::uint16_t port_of(const ServerSockets& sockets) {
  if (!sockets.udp.empty()) return sockets.udp.front().local().port();
  return local_endpoint(sockets.tcp.front().get()).port();
}

}  // namespace

void ServeCommand::configure(const Values& values) {
  address_ = values.address("ADDRESS");
  // If the two come from different origins only the stronger counts, as with every option: --udp on
  // the command line and tcp in the configuration file mean udp.
  const bool both = values.flag("udp") && values.flag("tcp");
  udp_ = both ? values.origin("udp") >= values.origin("tcp") : !values.flag("tcp");
  tcp_ = both ? values.origin("tcp") >= values.origin("udp") : !values.flag("udp");
  threads_ = static_cast<unsigned>(values.integer("threads"));
  settings_.reply = Template::parse(values.text("reply"), "--reply");
  settings_.policy = answer_policy(values);
  settings_.max_clients = static_cast<std::size_t>(values.integer("max-clients"));
  settings_.idle_timeout = values.duration("idle-timeout");
}

ServerSockets ServeCommand::open_sockets(bool further) const {
  ServerSocketOptions options;
  options.udp = udp_;
  options.tcp = tcp_;
  options.reuse_port = threads_ > 1;
  options.further = further;
  options.udp_options.gro = true;
  return open_server_sockets(address_, options);
}

void ServeCommand::start_workers(Host& host, std::vector<ServerSockets> sockets) {
  others_.resize(threads_ - 1);
  workers_ = std::make_unique<WorkerLoops>(
      host.clock(), threads_ - 1,
      [this, &host, &sockets](EventLoop& loop, unsigned index) -> std::shared_ptr<void> {
        auto worker = std::make_shared<Worker>(loop, host.loop(), print_);
        Print print;
        if (print_) print = [relay = &worker->relay](const Message& one) { relay->print(one); };
        worker->responder.emplace(loop, std::move(sockets[index - 1]), settings_, clients_,
                                  std::move(print), host.log());
        others_[index - 1] = worker.get();
        return worker;
      });
}

Totals ServeCommand::count() {
  if (final_) return *final_;
  Totals totals;
  if (main_) main_->add_to(totals);
  std::vector<Totals> of_thread(others_.size());
  if (workers_) {
    workers_->run_on_each([&](unsigned index) {
      const Worker& worker = *others_[index - 1];
      worker.responder->add_to(of_thread[index - 1]);
      of_thread[index - 1].add("unprinted", worker.relay.unprinted());
    });
  }
  totals.add("unprinted", std::uint64_t{0});
  for (const Totals& other : of_thread) totals.merge(other);
  return totals;
}

void ServeCommand::stop() {
  final_ = count();
  workers_.reset();
  main_.reset();
}

ExitStatus ServeCommand::run(Host& host) {
  if (host.output().wanted()) {
    print_ = [&output = host.output()](const Message& message) {
      with_record(message, [&output](const Record& record) { output.emit(record); });
    };
  }
  ServerSockets sockets = open_sockets(false);
  const std::vector<std::string> descriptions = sockets.descriptions();
  if (address_.port == 0) address_.port = port_of(sockets);  // the threads' sockets share it
  main_.emplace(host.loop(), std::move(sockets), settings_, clients_, print_, host.log());
  std::vector<ServerSockets> others;
  for (unsigned i = 1; i < threads_; ++i) others.push_back(open_sockets(true));
  host.set_totals([this](Totals& totals) { totals.merge(count()); });
  host.on_stop([this, &host](StopReason) {
    stop();
    host.finish(ExitStatus::done);
  });
  host.ready(descriptions);
  // After it, as a thread can do what could be done where it was started: landlock(7).
  if (threads_ > 1) start_workers(host, std::move(others));
  const ExitStatus status = host.run_loop();
  if (!final_) stop();
  return status;
}

}  // namespace netkit::echo
