#include <echo/serve_command.hpp>
#include <echo/transports.hpp>
#include <string>
#include <utility>

#include <netkit/net/tcp_listener.hpp>
#include <netkit/util/descriptor_limit.hpp>
#include <netkit/util/error.hpp>

namespace netkit::echo {

namespace {

constexpr std::string_view kDefaultAddress = "127.0.0.1:8080";

std::uint16_t port_of(const ServerSockets& sockets) {
  if (!sockets.udp.empty()) return sockets.udp.front().local().port();
  return local_endpoint(sockets.tcp.front().get()).port();
}

}  // namespace

void ServeCommand::Responders::add_to(ServeCounters& counters) const {
  if (udp) udp->add_to(counters);
  if (tcp) tcp->add_to(counters);
  if (relay) counters.unprinted += relay->unprinted();
}

void ServeCommand::configure(const Values& values) {
  std::vector<std::string> arguments = values.arguments();
  address_ = take_address(arguments, AddressRole::server, kDefaultAddress);
  if (!arguments.empty()) throw UsageError("unexpected argument '" + arguments.front() + "'");
  const Transports asked = asked_transports(values);
  udp_ = asked.udp || !asked.tcp;
  tcp_ = asked.tcp || !asked.udp;
  threads_ = static_cast<unsigned>(values.integer("threads"));
  settings_.reply = Template::parse(values.text("reply"), "--reply");
  settings_.access = AccessList(values.texts("allow"), values.texts("deny"));
  settings_.any_port = values.flag("any-port");
  settings_.rate = values.number("rate");
  settings_.max_clients = static_cast<std::size_t>(values.integer("max-clients"));
  settings_.idle_timeout = values.duration("idle-timeout");
}

ServerSockets ServeCommand::open_sockets() const {
  ServerSocketOptions options;
  options.udp = udp_;
  options.tcp = tcp_;
  options.reuse_port = threads_ > 1;
  options.udp_options.gro = true;
  return open_server_sockets(address_, options);
}

void ServeCommand::fill(Responders& responders, EventLoop& loop, ServerSockets sockets,
                        Printer& printer, const Log& log) {
  responders.spinner = std::make_unique<Spinner>(loop);
  if (!sockets.udp.empty()) {
    responders.udp = std::make_unique<UdpResponder>(loop, std::move(sockets.udp), settings_,
                                                    printer, *responders.spinner, log);
  }
  if (!sockets.tcp.empty()) {
    responders.tcp = std::make_unique<TcpResponder>(loop, std::move(sockets.tcp), settings_,
                                                    clients_, printer, *responders.spinner, log);
  }
}

void ServeCommand::start_workers(Host& host) {
  others_.resize(threads_ - 1);
  workers_ = std::make_unique<WorkerLoops>(
      host.clock(), threads_ - 1,
      [this, &host](EventLoop& loop, unsigned index) -> std::shared_ptr<void> {
        auto own = std::make_shared<Responders>();
        own->relay = std::make_unique<RelayPrinter>(loop, host.loop(), *printer_);
        fill(*own, loop, open_sockets(), *own->relay, host.log());
        others_[index - 1] = own.get();
        return own;
      });
}

ServeCounters ServeCommand::count() {
  if (final_) return *final_;
  ServeCounters counters;
  main_.add_to(counters);
  if (workers_) {
    std::vector<ServeCounters> of_thread(others_.size());
    workers_->run_on_each(
        [&](unsigned index) { others_[index - 1]->add_to(of_thread[index - 1]); });
    for (const ServeCounters& other : of_thread) counters += other;
  }
  return counters;
}

void ServeCommand::stop() {
  final_ = count();
  workers_.reset();
  main_ = {};
}

ExitStatus ServeCommand::run(Host& host) {
  raise_descriptor_limit();
  // `-q` is for those who only want the answers; a sink that is named gets the records even then.
  const bool wanted = host.output().wanted() && (!host.quiet() || host.values().given("to"));
  printer_ = std::make_unique<OutputPrinter>(host.output(), wanted);
  ServerSockets sockets = open_sockets();
  const std::vector<std::string> descriptions = sockets.descriptions();
  if (address_.port == 0) address_.port = port_of(sockets);  // the threads' sockets share it
  fill(main_, host.loop(), std::move(sockets), *printer_, host.log());
  if (threads_ > 1) start_workers(host);
  host.set_totals([this](Totals& totals) { count().show(totals); });
  host.on_stop([this, &host](StopReason) {
    stop();
    host.finish(ExitStatus::done);
  });
  host.ready(descriptions);
  const ExitStatus status = host.run_loop();
  if (!final_) stop();
  return status;
}

}  // namespace netkit::echo
