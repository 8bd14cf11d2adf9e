#include <algorithm>
#include <broadcast/listen_command.hpp>
#include <cerrno>
#include <fcntl.h>
#include <utility>

#include <fmt/format.h>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/codec/binary_text.hpp>
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
      throw UsageError(fmt::format("--group: '{}' is not {}", text, kMulticastForm));
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
  policy_ = answer_policy(values);
  policy_.answers_broadcasts = true;
  if (reply_) policy_.loops = AnswerPolicy::Loops::any_answer;
  hex_ = values.flag("hex");
  count_ = static_cast<std::uint64_t>(values.integer("count"));
}

ExitStatus ListenCommand::run(Host& host) {
  host_ = &host;
  interfaces_ = wanted_interfaces();
  ServerSocketOptions options;
  options.udp = true;
  options.udp_options.share_port = true;
  options.udp_options.broadcast = true;
  options.udp_options.packet_info = true;
  options.udp_options.own_groups_only = true;
  ServerSockets sockets = open_server_sockets(address_, options);
  add_broadcast_sockets(sockets, options.udp_options);
  const std::vector<std::string> descriptions = sockets.descriptions();
  if (!groups_.empty()) {
    for (const UdpSocket& socket : sockets.udp) {
      FileDescriptor twin(::fcntl(socket.fd(), F_DUPFD_CLOEXEC, 0));
      if (!twin) throw SystemError(errno, "cannot keep a udp socket");
      members_.push_back(UdpSocket::adopt(std::move(twin), options.udp_options));
    }
    join_groups(interfaces_.empty() ? netkit::interfaces() : interfaces_);
  }
  UdpServer::Handler& handler = *this;
  server_.emplace(host.loop(), std::move(sockets.udp), handler, server_options());
  if (!groups_.empty() || !interfaces_.empty()) {
    changes_.emplace(host.loop(), [this] { on_interfaces_changed(); });
  }
  host.set_totals([this](Totals& totals) { fill(totals); });
  host.ready(descriptions);
  return host.run_loop();
}

// A socket that is bound to one address of this machine hears no broadcast of its network.
void ListenCommand::add_broadcast_sockets(ServerSockets& sockets, const UdpOptions& options) {
  const Endpoint own = sockets.udp.front().local();
  const IpAddress address = own.address();
  if (sockets.udp.size() > 1 || address.is_v6() || address.is_unspecified() ||
      address.is_loopback() || address.is_multicast()) {
    return;
  }
  for (const Interface& interface : netkit::interfaces()) {
    for (const InterfaceAddress& one : interface.addresses) {
      if (one.address != address) continue;
      if (!one.broadcast) {
        host_->log().notice(fmt::format("{} has no broadcast address: it receives no broadcasts",
                                        address.to_string()));
        return;
      }
      own_interface_ = interface.index;
      const IpAddress limited = *IpAddress::parse("255.255.255.255");
      for (const IpAddress& shared : {*one.broadcast, limited}) {
        sockets.udp.push_back(UdpSocket::bound(Endpoint(shared, own.port()), options));
      }
      return;
    }
  }
}

UdpServer::Options ListenCommand::server_options() const {
  UdpServer::Options options;
  options.log = &host_->log();
  options.policy = policy_;
  return options;
}

std::vector<Interface> ListenCommand::wanted_interfaces() const {
  std::vector<Interface> wanted;
  for (const std::string& name : interface_names_) wanted.push_back(find_interface(name));
  return wanted;
}

// On the interfaces that were named, else on all that are up and can (loopback too, so that a
// sender on this machine is heard). Joining must work on one of them at least.
void ListenCommand::join_groups(const std::vector<Interface>& all) {
  for (const IpAddress& group : groups_) {
    std::string failure = fmt::format("no interface can join {}", group.to_string());
    if (!join(group, all, failure)) throw Error(ExitStatus::unreachable, failure);
  }
}

bool ListenCommand::join(const IpAddress& group, const std::vector<Interface>& all,
                         std::string& failure) {
  bool joined = false;
  for (UdpSocket& socket : members_) {
    if (group.is_v4() != socket.local().is_v4()) continue;
    for (const Interface& interface : all) {
      const bool can = interface.up && (interface.can_multicast || interface.loopback);
      if (interfaces_.empty() && !can) continue;
      if (group.scope_id() != 0 && group.scope_id() != interface.index) continue;
      try {
        socket.join_group(group, interface.index, source_);
        joined = true;
        if (joined_.emplace(group, interface.index).second) {
          host_->log().info(fmt::format("joined {} on {}", group.to_string(), interface.name));
        }
      } catch (const SystemError& error) {
        failure = error.what();
      }
    }
  }
  return joined;
}

// An interface that has come up takes part from now on; one that has gone may come back with
// another number.
void ListenCommand::on_interfaces_changed() {
  try {
    std::vector<Interface> all = netkit::interfaces();
    if (!interfaces_.empty()) all = interfaces_ = wanted_interfaces();
    std::erase_if(joined_, [&all](const auto& one) {
      return std::none_of(all.begin(), all.end(),
                          [&one](const Interface& other) { return other.index == one.second; });
    });
    std::string failure;
    for (const IpAddress& group : groups_) join(group, all, failure);
  } catch (const Error&) {
    return;  // one that was named is not there just now
  }
}

bool ListenCommand::is_wanted(const ReceivedMessage& message) const {
  const unsigned index = message.interface_index;
  if (own_interface_ != 0 && index != own_interface_ &&
      message.destination.is_limited_broadcast()) {
    return false;  // of another network than the one address is in
  }
  return interfaces_.empty() ||
         std::any_of(interfaces_.begin(), interfaces_.end(),
                     [index](const Interface& interface) { return interface.index == index; });
}

void ListenCommand::on_datagram(const ReceivedMessage& from, std::string_view datagram) {
  if (!take(from, datagram, true) || !reply_) return;
  server_->answer(from, rendered_);
}

// Senders that must not be answered are still printed; denied ones are not.
void ListenCommand::on_refused(const ReceivedMessage& message, Refusal why) {
  if (why == Refusal::denied || why == Refusal::rate) return;
  if (take(message, message.data, false) && reply_) ++unanswered_;
}

bool ListenCommand::take(const ReceivedMessage& message, std::string_view datagram, bool answered) {
  if (count_ != 0 && received_ >= count_) return false;
  if (!is_wanted(message)) {
    ++ignored_;
    return false;
  }
  ++received_;
  const std::string interface = interface_name(message.interface_index);
  const std::string destination = message.destination.to_string();
  const Field fields[] = {{"interface", std::string_view(interface)},
                          {"destination", std::string_view(destination)},
                          {"seq", received_}};
  const bool as_hex = hex_ && host_->output().format() == Format::text;
  const std::string hex = as_hex ? encode_hex(datagram) : std::string();
  Record record{.type = "datagram",
                .time = host_->clock().wall(),
                .peer = message.peer,
                .fields = fields,
                .payload = as_hex ? std::string_view(hex) : datagram,
                .line = std::nullopt};
  host_->output().emit(record);
  record.payload = datagram;
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
  add_refusals(totals, server_->policy().refused());
}

}  // namespace netkit::broadcast
