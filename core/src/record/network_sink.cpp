#include "record/network_sink.hpp"

#include <utility>

#include <fmt/format.h>

#include <netkit/net/address_spec.hpp>
#include <netkit/net/interfaces.hpp>
#include <netkit/net/udp_client.hpp>
#include <netkit/util/error.hpp>

namespace netkit {
namespace {

constexpr std::size_t kMaxDatagram = 65507;
constexpr std::size_t kArena = std::size_t{256} * 1024;
constexpr Duration kTargetsLast = std::chrono::seconds(5);  // interfaces come and go

std::string_view name_of(SinkKind kind) {
  if (kind == SinkKind::broadcast) return "broadcast";
  return kind == SinkKind::multicast ? "multicast" : "udp";
}

Endpoint resolve_sink(const SinkSpec& spec) {
  const auto address = AddressSpec::parse(spec.target, AddressRole::client);
  // Not connected, since a broadcast cannot be, and a port that refuses now may listen later. A
  // sink gets no answer that would tell which of a name's addresses is the right one.
  const Endpoint endpoint = first_routable(resolve(address));
  if (spec.kind == SinkKind::multicast && !endpoint.address().is_multicast()) {
    throw UsageError("--to: '" + spec.target + "' is not " + std::string(kMulticastForm));
  }
  if (spec.kind == SinkKind::broadcast && !endpoint.is_v4()) {
    throw UsageError("--to: IPv6 has no broadcast; write multicast:[ff02::1]:" +
                     std::to_string(endpoint.port()));
  }
  return endpoint;
}

UdpSocket open_socket(const Endpoint& address, bool broadcast) {
  UdpOptions options;
  options.broadcast = broadcast;
  options.count_drops = false;
  UdpSocket socket(address.family(), options);
  return socket;
}

}  // namespace

NetworkSink::NetworkSink(const SinkSpec& spec, std::size_t number,
                         std::unique_ptr<Formatter> formatter, const EventLoop& loop,
                         const Log& log)
    : target_(fmt::format("{}:{}", name_of(spec.kind), spec.target)),
      totals_(name_of(spec.kind), number),
      formatter_(std::move(formatter)),
      loop_(loop),
      log_(log),
      address_(resolve_sink(spec)),
      to_all_networks_(spec.kind != SinkKind::udp),
      socket_(open_socket(address_, spec.kind == SinkKind::broadcast)) {
  arena_.reserve(kArena);
}

void NetworkSink::refresh_targets() {
  if (!to_all_networks_) {
    if (targets_.empty()) targets_.push_back({address_, {}});
    return;
  }
  if (loop_.now() < targets_until_) return;
  targets_until_ = loop_.now() + kTargetsLast;
  try {
    targets_ = broadcast_targets(address_, interfaces());
  } catch (const Error&) {  // the kernel is out of memory or descriptors: the old ones will do
  }
  // Without any network the kernel says why nothing leaves, and that is counted.
  if (targets_.empty()) targets_.push_back({address_, {}});
}

void NetworkSink::take(const Record& record) {
  scratch_.clear();
  formatter_->format(record, scratch_);
  if (scratch_.empty() && !record.payload) return;
  if (scratch_.size() > kMaxDatagram) {
    ++too_long_;
    return say_what_is_left_out();
  }
  if (sender_.full() || arena_.size() + scratch_.size() > kArena) flush();
  const std::size_t begin = arena_.size();
  arena_ += scratch_;
  const std::string_view data = std::string_view(arena_).substr(begin);
  refresh_targets();
  for (const BroadcastTarget& target : targets_) {
    sender_.add(target.to, data, {}, target.source);
  }
}

void NetworkSink::flush() {
  if (sender_.queued() == 0) return;
  if (sender_.flush(socket_) != 0) sender_.drop_queued();
  arena_.clear();
  if (left_out() > 0) say_what_is_left_out();
}

void NetworkSink::say_what_is_left_out() {
  if (std::exchange(said_, true)) return;
  log_.error(fmt::format(
      "--to {}: a record is too long for a datagram; it is skipped, as are others like it",
      target_));
}

void NetworkSink::refuse_loops(std::span<const Endpoint> locals) const {
  LocalNetworks networks;
  for (const Endpoint& local : locals) {
    if (!networks.reaches(address_, local)) continue;
    throw UsageError(
        fmt::format("--to {}: datagrams sent there come back to {}", target_, local.to_string()));
  }
}

std::uint64_t NetworkSink::dropped() const {
  const DatagramSenderCounters& counters = sender_.counters();
  return counters.refused + counters.no_room + counters.too_big + too_long_;
}

void NetworkSink::add_totals(Totals& totals) const {
  totals.add(totals_.sent, sender_.counters().datagrams);
  totals.add(totals_.dropped, dropped());
}

}  // namespace netkit
