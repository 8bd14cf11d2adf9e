#include <algorithm>
#include <broadcast/listen_command.hpp>
#include <utility>

#include <fmt/format.h>

#include <netkit/net/server_sockets.hpp>
#include <netkit/util/error.hpp>

namespace netkit::broadcast {

namespace {

IpAddress read_ip(const std::string& text, std::string_view option) {
  const auto address = IpAddress::parse(text);
  if (address) return *address;
  throw UsageError(fmt::format("{}: '{}' is not a numeric address", option, text));
}

// A group of the link can be bound only together with its interface.
bool lacks_interface(const IpAddress& group) {
  constexpr unsigned kLinkLocal = 2;  // RFC 4291, section 2.7; what is below stays in the machine
  return group.is_v6() && group.is_multicast() && group.scope_id() == 0 &&
         (group.bytes()[1] & 0x0FU) <= kLinkLocal;
}

}  // namespace

void ListenCommand::configure(const Values& values) {
  address_ = values.address("ADDRESS");
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
  for (UdpSocket& socket : sockets.udp) join_groups(socket);
  UdpServer::Handler& handler = *this;
  server_.emplace(host.loop(), std::move(sockets.udp), handler, server_options());
  host.set_totals([this](Totals& totals) { fill(totals); });
  host.ready(descriptions);
  return host.run_loop();
}

UdpServer::Options ListenCommand::server_options() const {
  UdpServer::Options options;
  options.log = &host_->log();
  options.policy.any_port = any_port_;
  options.policy.answers_broadcasts = true;
  if (reply_) options.policy.loops = AnswerPolicy::Loops::any_answer;
  return options;
}

// On the interfaces that were named, else on all that are up and can (loopback too, so that a
// sender on this machine is heard). Joining must work on one of them at least.
void ListenCommand::join_groups(UdpSocket& socket) const {
  const std::vector<Interface> all = interfaces_.empty() ? netkit::interfaces() : interfaces_;
  for (const IpAddress& group : groups_) {
    if (group.is_v4() != socket.local().is_v4()) continue;
    bool joined = false;
    std::string failure = fmt::format("no interface can take part in {}", group.to_string());
    for (const Interface& interface : all) {
      if (interfaces_.empty() &&
          (!interface.up || !(interface.can_multicast || interface.loopback))) {
        continue;
      }
      if (group.scope_id() != 0 && group.scope_id() != interface.index) continue;
      try {
        socket.join_group(group, interface.index, source_);
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

void ListenCommand::on_datagram(const ReceivedMessage& from, std::string_view datagram) {
  if (!take(from, datagram, true) || !reply_) return;
  server_->answer(from, rendered_);
}

void ListenCommand::on_refused(const ReceivedMessage& message, Refusal /*why*/) {
  if (take(message, message.data, false) && reply_) ++unanswered_;
}

bool ListenCommand::take(const ReceivedMessage& message, std::string_view datagram, bool answered) {
  if (count_ != 0 && received_ >= count_) return false;
  if (!by_wanted_interface(message.interface_index)) {
    ++ignored_;
    return false;
  }
  ++received_;
  const std::string interface = interface_name(message.interface_index);
  const std::string destination = message.destination.to_string();
  const Field fields[] = {{"interface", std::string_view(interface)},
                          {"destination", std::string_view(destination)},
                          {"seq", received_}};
  const Record record{.type = kHeardRecord,
                      .time = host_->clock().wall(),
                      .peer = message.peer,
                      .fields = fields,
                      .payload = datagram,
                      .line = std::nullopt};
  host_->output().emit(record);
  if (reply_ && answered) {
    rendered_.clear();
    reply_->render(record, rendered_, Escaping::none);
  }
  if (received_ == count_) host_->finish(ExitStatus::done);
  return true;
}

void ListenCommand::fill(Totals& totals) const {
  const DatagramSenderCounters sent = server_->sent();
  totals.add("received", received_);
  totals.add("answered", sent.datagrams);
  totals.add("unanswered", unanswered_);
  totals.add("unsendable", sent.refused + sent.no_room);
  totals.add("ignored", ignored_);
  totals.add("kernel_drops", server_->kernel_drops());
}

}  // namespace netkit::broadcast
