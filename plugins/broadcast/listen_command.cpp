#include <algorithm>
#include <broadcast/listen_command.hpp>
#include <utility>

#include <netkit/net/server_sockets.hpp>
#include <netkit/net/wire_log.hpp>
#include <netkit/util/error.hpp>

namespace netkit::broadcast {

namespace {

IpAddress read_ip(const std::string& text, std::string_view option) {
  const auto address = IpAddress::parse(text);
  if (address) return *address;
  throw UsageError(std::string(option) + ": '" + text + "' is not a numeric address");
}

// A group of the link can be bound only together with its interface.
bool lacks_interface(const IpAddress& group) {
  constexpr unsigned kLinkLocal = 2;  // RFC 4291, section 2.7; what is below stays in the machine
  return group.is_v6() && group.is_multicast() && group.scope_id() == 0 &&
         (group.bytes()[1] & 0x0FU) <= kLinkLocal;
}

}  // namespace

void ListenCommand::configure(const Values& values) {
  std::vector<std::string> arguments = values.arguments();
  address_ = take_address(arguments, AddressRole::server, ":8086");
  if (!arguments.empty()) throw UsageError("unexpected argument '" + arguments.front() + "'");
  for (const std::string& text : values.texts("group")) {
    groups_.push_back(read_ip(text, "--group"));
    if (!groups_.back().is_multicast()) {
      throw UsageError("--group: '" + text +
                       "' is not a multicast address (224.0.0.0 to 239.255.255.255, or ff00::/8)");
    }
  }
  // A group as the address is a group to join.
  if (const auto own = IpAddress::parse(address_.host); own && own->is_multicast()) {
    groups_.push_back(*own);
  }
  if (values.given("source")) {
    source_ = read_ip(values.text("source"), "--source");
    if (groups_.empty()) throw UsageError("--source needs --group ADDR");
  }
  interface_names_ = values.texts("interface");
  if (const auto own = IpAddress::parse(address_.host);
      own && lacks_interface(*own) && interface_names_.size() == 1) {
    address_.host += "%" + interface_names_.front();
  }
  if (values.given("reply")) reply_ = Template::parse(values.text("reply"), "--reply");
  any_port_ = values.flag("any-port");
  count_ = static_cast<std::uint64_t>(values.integer("count"));
}

ExitStatus ListenCommand::run(Host& host) {
  host_ = &host;
  for (const std::string& name : interface_names_) interfaces_.push_back(find_interface(name));
  ServerSocketOptions options;
  options.udp = true;
  options.udp_options.share_port = true;
  options.udp_options.broadcast = true;
  options.udp_options.packet_info = true;
  ServerSockets sockets = open_server_sockets(address_, options);
  const std::vector<std::string> descriptions = sockets.descriptions();
  for (UdpSocket& socket : sockets.udp) add_listener(std::move(socket));
  for (const auto& listener : listeners_) join_groups(*listener);
  host.set_totals([this](Totals& totals) { fill(totals); });
  host.ready(descriptions);
  return host.run_loop();
}

void ListenCommand::add_listener(UdpSocket socket) {
  auto listener = std::make_unique<Listener>();
  Listener* const raw = listener.get();
  raw->local = socket.local();
  raw->socket = std::move(socket);
  if (reply_) {
    LoopGuard::Options guard;
    guard.any_content = true;
    raw->guard = std::make_unique<LoopGuard>(guard);
    const Endpoint from(IpAddress::any(raw->local.address().family()), 0);
    raw->probe =
        std::make_unique<LoopProbe>(host_->loop(), from, [this, raw](const Endpoint& peer) {
          if (!raw->guard->on_probe_answer(peer, host_->loop().now())) return;
          host_->log().notice(peer.to_string() +
                              " answers answers: not answered any more, to stop a loop");
        });
  }
  raw->watch =
      host_->loop().watch(raw->socket.fd(), Interest::read, [this, raw](Ready) { on_ready(*raw); });
  listeners_.push_back(std::move(listener));
}

// On the interfaces that were named, else on all that are up and can (loopback too, so that a
// sender on this machine is heard). Joining must work on one of them at least.
void ListenCommand::join_groups(Listener& listener) {
  const std::vector<Interface> all = interfaces_.empty() ? netkit::interfaces() : interfaces_;
  for (const IpAddress& group : groups_) {
    if (group.is_v4() != listener.local.is_v4()) continue;
    bool joined = false;
    std::string failure = "no interface can take part in " + group.to_string();
    for (const Interface& interface : all) {
      if (interfaces_.empty() &&
          (!interface.up || !(interface.can_multicast || interface.loopback))) {
        continue;
      }
      if (group.scope_id() != 0 && group.scope_id() != interface.index) continue;
      try {
        listener.socket.join_group(group, interface.index, source_);
        joined = true;
      } catch (const SystemError& error) {
        failure = error.what();
      }
    }
    if (!joined) throw Error(ExitStatus::unreachable, failure);
  }
}

bool ListenCommand::by_wanted_interface(unsigned index) const {
  if (interfaces_.empty()) return true;
  return std::any_of(interfaces_.begin(), interfaces_.end(),
                     [index](const Interface& interface) { return interface.index == index; });
}

void ListenCommand::on_ready(Listener& listener) {
  const DatagramReceiver::Result result = listener.receiver.receive(listener.socket);
  for (const ReceivedMessage& message : result.messages) {
    if (count_ != 0 && counters_.received >= count_) break;
    on_message(listener, message);
  }
  if (listener.sender.flush(listener.socket) > 0) listener.sender.drop_queued();
  if (count_ != 0 && counters_.received >= count_) host_->finish(ExitStatus::done);
}

void ListenCommand::on_message(Listener& listener, const ReceivedMessage& message) {
  if (!by_wanted_interface(message.interface_index)) {
    ++counters_.ignored;
    return;
  }
  ++counters_.received;
  log_received(host_->log(), *message.peer, message.data);
  const std::string interface = interface_name(message.interface_index);
  const std::string destination = message.destination.to_string();
  const Field fields[] = {{"interface", std::string_view(interface)},
                          {"destination", std::string_view(destination)},
                          {"seq", counters_.received}};
  const Record record{.type = kHeardRecord,
                      .time = host_->clock().wall(),
                      .peer = message.peer,
                      .fields = fields,
                      .payload = message.data,
                      .line = std::nullopt};
  host_->output().emit(record);
  if (reply_) answer(listener, message, record);
}

bool ListenCommand::may_answer(const Listener& listener, const Endpoint& peer) {
  const IpAddress source = peer.address();
  if (peer.port() == 0 || source.is_multicast() || networks_.is_broadcast(source)) return false;
  if (peer.port() == listener.local.port() && networks_.is_own(source)) return false;
  return any_port_ || !is_answering_service(peer.port());
}

void ListenCommand::answer(Listener& listener, const ReceivedMessage& message,
                           const Record& record) {
  if (!may_answer(listener, *message.peer)) {
    ++counters_.unanswered;
    return;
  }
  const auto verdict =
      listener.guard->on_datagram(*message.peer, message.data, 1, host_->loop().now());
  if (verdict == LoopGuard::Verdict::drop) {
    ++counters_.unanswered;
    return;
  }
  rendered_.clear();
  reply_->render(record, rendered_, Escaping::none);
  if (verdict == LoopGuard::Verdict::probe) {
    listener.probe->send(*message.peer, rendered_, LoopGuard::kProbeWait);
  }
  log_sent(host_->log(), *message.peer, rendered_);
  listener.sender.add(*message.peer, rendered_);
  // The next answer is rendered into the same place.
  if (listener.sender.flush(listener.socket) > 0) listener.sender.drop_queued();
}

void ListenCommand::fill(Totals& totals) const {
  std::uint64_t sent = 0;
  std::uint64_t refused = 0;
  std::uint64_t drops = 0;
  for (const auto& listener : listeners_) {
    sent += listener->sender.counters().datagrams;
    refused += listener->sender.counters().refused + listener->sender.counters().no_room;
    drops += listener->receiver.kernel_drops();
  }
  totals.add("received", counters_.received);
  totals.add("answered", sent);
  totals.add("unanswered", counters_.unanswered);
  totals.add("unsendable", refused);
  totals.add("ignored", counters_.ignored);
  totals.add("kernel_drops", drops);
}

}  // namespace netkit::broadcast
