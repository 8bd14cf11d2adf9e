#include "net/datagram_queue.hpp"

#include <algorithm>
#include <cstring>
#include <netinet/udp.h>

namespace netkit {
namespace {

constexpr int kEct0 = 2;

template <typename Value>
cmsghdr* put_control(cmsghdr* at, int level, int type, const Value& value) {
  at->cmsg_level = level;
  at->cmsg_type = type;
  at->cmsg_len = CMSG_LEN(sizeof value);
  std::memcpy(CMSG_DATA(at), &value, sizeof value);
  return reinterpret_cast<cmsghdr*>(reinterpret_cast<char*>(at) + CMSG_SPACE(sizeof value));
}

in6_addr mapped(const IpAddress& v4) {
  in6_addr address{};
  address.s6_addr[10] = address.s6_addr[11] = 0xFF;
  std::memcpy(address.s6_addr + 12, v4.bytes().data(), 4);
  return address;
}

cmsghdr* put_source(cmsghdr* at, const DatagramSource& source, const Endpoint& to) {
  const bool to_v4 = to.address().is_v4();
  const bool usable = !source.address.is_unspecified() && source.address.is_v4() == to_v4;
  if (to.is_v4()) {
    in_pktinfo info{};
    info.ipi_ifindex = static_cast<int>(source.interface_index);
    if (usable) info.ipi_spec_dst.s_addr = source.address.v4_network_order();
    return put_control(at, IPPROTO_IP, IP_PKTINFO, info);
  }
  in6_pktinfo info{};
  info.ipi6_ifindex = source.interface_index;
  // A socket of both families: for a peer by IPv4 the kernel takes nothing but a mapped address.
  if (to_v4) info.ipi6_addr = mapped(usable ? source.address : IpAddress());
  if (usable && !to_v4) {
    std::memcpy(&info.ipi6_addr, source.address.bytes().data(), sizeof info.ipi6_addr);
  }
  return put_control(at, IPPROTO_IPV6, IPV6_PKTINFO, info);
}

// Whether `next` may follow in a message that has `run` and ends with `last`.
bool may_join(const MessageBatch::Message& run, const QueuedDatagram& last,
              const QueuedDatagram& next) {
  if (last.ends_short() || last.segment_size != run.segment_size) return false;
  const bool same_size = next.segment_size == run.segment_size;
  const bool shorter_end = next.segments == 1 && next.size() < run.segment_size;
  return (same_size || shorter_end) && next.size() != 0 &&
         run.datagrams + next.segments <= kMaxSegments && run.bytes + next.size() <= kMaxPayload &&
         next.source == last.source && next.ect == last.ect && next.to == last.to;
}

}  // namespace

void MessageBatch::open(const QueuedDatagram& item, std::uint32_t entry, bool connected) {
  msghdr& header = headers_[count_].msg_hdr;
  // A connected socket needs no address.
  header.msg_name = connected ? nullptr : const_cast<sockaddr*>(item.to.data());
  header.msg_namelen = connected ? 0 : item.to.size();
  header.msg_iov = &vectors_[vectors_used_];
  header.msg_iovlen = 0;
  messages_[count_].first_entry = entry;
}

// Bytes that lie behind those before become one vector: a super-packet's datagrams, for example.
void MessageBatch::add_bytes(std::string_view bytes) {
  if (bytes.empty()) return;
  msghdr& header = headers_[count_].msg_hdr;
  if (header.msg_iovlen > 0) {
    iovec& last = vectors_[vectors_used_ - 1];
    if (static_cast<char*>(last.iov_base) + last.iov_len == bytes.data()) {
      last.iov_len += bytes.size();
      return;
    }
  }
  vectors_[vectors_used_++] = {const_cast<char*>(bytes.data()), bytes.size()};
  ++header.msg_iovlen;
}

void MessageBatch::close(const Message& message, const QueuedDatagram& first,
                         const DatagramSource* source) {
  msghdr& header = headers_[count_].msg_hdr;
  Control& control = controls_[count_];
  auto* const begin = reinterpret_cast<cmsghdr*>(control.bytes.data());
  cmsghdr* end = begin;
  if (message.segment_size != 0) {
    end = put_control(end, SOL_UDP, UDP_SEGMENT, static_cast<std::uint16_t>(message.segment_size));
  }
  if (source != nullptr) end = put_source(end, *source, first.to);
  if (first.ect) {
    const bool v4 = first.to.address().is_v4();  // also of a socket of both families
    end = put_control(end, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TOS : IPV6_TCLASS, kEct0);
  }
  header.msg_control = end == begin ? nullptr : begin;
  header.msg_controllen =
      static_cast<std::size_t>(reinterpret_cast<char*>(end) - reinterpret_cast<char*>(begin));
  const std::uint32_t first_entry = messages_[count_].first_entry;
  messages_[count_] = message;
  messages_[count_].first_entry = first_entry;
  ++count_;
}

QueuedDatagram& DatagramQueue::append(std::uint32_t segments) {
  QueuedDatagram& item = items_.emplace_back();
  item.segments = segments;
  datagrams_ += segments;
  return item;
}

// Answers of one turn leave by few addresses, and only what has the same number can go out
// together.
std::uint32_t DatagramQueue::add_source(const DatagramSource& source) {
  if (!source) return 0;
  constexpr std::size_t kLooked = 8;
  for (std::size_t i = 0; i < std::min(kLooked, sources_.size()); ++i) {
    const std::size_t at = sources_.size() - 1 - i;
    if (sources_[at] == source) return static_cast<std::uint32_t>(at + 1);
  }
  sources_.push_back(source);
  return static_cast<std::uint32_t>(sources_.size());
}

void DatagramQueue::clear() {
  items_.clear();
  sources_.clear();
  order_.clear();
  position_ = {};
  datagrams_ = 0;
}

void DatagramQueue::keep(QueuedDatagram kept) {
  if (kept.source != 0) {
    kept_sources_.push_back(sources_[kept.source - 1]);
    kept.source = static_cast<std::uint32_t>(kept_sources_.size());
  }
  kept_.push_back(kept);
}

// Only after a socket would block does something stay; then it moves to the front in its order.
void DatagramQueue::drop_sent() {
  if (position_.entry == 0) return;
  kept_.clear();
  kept_sources_.clear();
  for (std::size_t i = position_.entry; i < order_.size(); ++i) keep(item(i));
  for (std::size_t i = order_.size(); i < items_.size(); ++i) keep(items_[i]);
  items_.swap(kept_);
  sources_.swap(kept_sources_);
  order_.clear();
  position_.entry = 0;
}

void DatagramQueue::arrange() {
  if (order_.size() == items_.size()) return;  // nothing was added since
  drop_sent();
  const bool in_the_middle = position_.segment != 0;  // of the first entry, which stays first then
  if (group_ && items_.size() > 1 && !in_the_middle) {
    peers_.arrange(
        items_.size(), [this](std::uint32_t i) -> const Endpoint& { return items_[i].to; }, order_);
    return;
  }
  // What is there is in its order already.
  order_.resize(items_.size());
  for (std::size_t i = 0; i < order_.size(); ++i) order_[i] = static_cast<std::uint32_t>(i);
}

void DatagramQueue::close(MessageBatch& batch, const MessageBatch::Message& message) const {
  const QueuedDatagram& first = item(batch.messages_[batch.count_].first_entry);
  const DatagramSource* source = first.source == 0 ? nullptr : &sources_[first.source - 1];
  batch.close(message, first, source);
}

MessageBatch::Message DatagramQueue::build_run(MessageBatch& batch, std::size_t entry,
                                               const SegmentPolicy& policy) const {
  MessageBatch::Message run;
  const QueuedDatagram* last = &item(entry);
  run.segment_size = last->segment_size;
  const bool together = policy.allowed && run.segment_size < policy.size_limit && last->size() != 0;
  for (;;) {
    batch.add_bytes(last->head);
    batch.add_bytes(last->body);
    run.datagrams += last->segments;
    run.bytes += last->size();
    run.end = {++entry, 0};
    if (!together || entry == order_.size() || !may_join(run, *last, item(entry))) break;
    last = &item(entry);
  }
  if (run.datagrams == 1) run.segment_size = 0;
  return run;
}

// Every datagram of the entry, from `at` on, as a message of its own.
QueuePosition DatagramQueue::build_singly(MessageBatch& batch, QueuePosition at,
                                          bool connected) const {
  const QueuedDatagram& whole = item(at.entry);
  if (whole.segments == 1) {
    batch.open(whole, static_cast<std::uint32_t>(at.entry), connected);
    batch.add_bytes(whole.head);
    batch.add_bytes(whole.body);
    close(batch, {.end = {at.entry + 1, 0}, .datagrams = 1, .bytes = whole.size()});
    return {at.entry + 1, 0};
  }
  while (batch.has_room()) {
    const std::string_view bytes =
        whole.head.substr(at.segment * whole.segment_size, whole.segment_size);
    batch.open(whole, static_cast<std::uint32_t>(at.entry), connected);
    batch.add_bytes(bytes);
    const bool is_last = at.segment + 1 == whole.segments;
    at = is_last ? QueuePosition{at.entry + 1, 0} : QueuePosition{at.entry, at.segment + 1};
    close(batch, {.end = at, .datagrams = 1, .bytes = bytes.size()});
    if (is_last) break;
  }
  return at;
}

void DatagramQueue::fill(MessageBatch& batch, const SegmentPolicy& policy, std::size_t singly_until,
                         bool connected) {
  batch.clear();
  QueuePosition at = position_;
  while (at.entry < order_.size() && batch.has_room()) {
    const QueuedDatagram& next = item(at.entry);
    if (next.to.port() == 0 && !connected) break;
    const bool cut =
        next.segments > 1 && (!policy.allowed || next.segment_size >= policy.size_limit);
    if (at.segment != 0 || at.entry < singly_until || cut) {
      at = build_singly(batch, at, connected);
      continue;
    }
    batch.open(next, static_cast<std::uint32_t>(at.entry), connected);
    const MessageBatch::Message run = build_run(batch, at.entry, policy);
    close(batch, run);
    at = run.end;
  }
}

MessageBatch::Message DatagramQueue::front() const {
  const QueuedDatagram& first = item(position_.entry);
  return {.end = {position_.entry + 1, 0},
          .first_entry = static_cast<std::uint32_t>(position_.entry),
          .datagrams = first.segments - position_.segment,
          .bytes = first.size() - position_.segment * first.segment_size};
}

void DatagramQueue::advance(const MessageBatch::Message& message) {
  position_ = message.end;
  datagrams_ -= message.datagrams;
  if (position_.entry == items_.size()) clear();
}

}  // namespace netkit
