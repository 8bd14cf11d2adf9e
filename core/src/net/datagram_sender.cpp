#include "net/datagram_queue.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>
#include <utility>

#include <netkit/net/datagram_sender.hpp>
#include <netkit/util/random.hpp>

namespace netkit {
namespace {

// After this many datagrams a segment size that failed is tried again: routes change.
constexpr std::uint64_t kSegmentRetry = 65'536;

// The errors of Linux for segments that the path cannot carry: longer than its MTU, no checksum
// offload on the device, or IPsec.
bool is_about_segments(int error) {
  return error == EMSGSIZE || error == EINVAL || error == EIO || error == EOPNOTSUPP;
}

// The errnos that the kernel makes of ICMP errors. A send reports that of an earlier datagram, and
// sends nothing.
bool may_be_of_an_earlier_one(int error) {
  switch (error) {
    case EACCES:
    case ECONNREFUSED:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case EMSGSIZE:
    case ENETUNREACH:
    case ENONET:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case EPROTO:
      return true;
    default:
      return false;
  }
}

}  // namespace

DatagramSenderCounters& DatagramSenderCounters::operator+=(const DatagramSenderCounters& other) {
  datagrams += other.datagrams;
  bytes += other.bytes;
  system_calls += other.system_calls;
  refused += other.refused;
  no_room += other.no_room;
  too_big += other.too_big;
  interrupted += other.interrupted;
  return *this;
}

struct DatagramSender::Impl {
  using Message = MessageBatch::Message;

  explicit Impl(const Options& options)
      : queue(options.group, options.max_queue, random_number()), coalesce(options.coalesce) {}

  // Null when there is no room for it.
  QueuedDatagram* append(std::uint32_t segments) {
    if (!queue.full()) return &queue.append(segments);
    counters.no_room += segments;
    return nullptr;
  }

  void push(const Endpoint& to, std::string_view head, std::string_view body,
            const DatagramSource& source, bool ect) {
    QueuedDatagram* const item = append(1);
    if (item == nullptr) return;
    item->to = to;
    item->head = head;
    item->body = body;
    item->segment_size = head.size() + body.size();
    item->source = queue.add_source(source);
    item->ect = ect;
  }

  void push_segments(const Endpoint& to, std::string_view data, std::size_t segment_size,
                     const DatagramSource& source) {
    if (segment_size == 0 || data.size() <= segment_size) {
      push(to, data, {}, source, false);
      return;
    }
    const std::size_t together =
        std::clamp<std::size_t>(kMaxPayload / segment_size, 1, kMaxSegments);
    while (!data.empty()) {
      const std::string_view piece = data.substr(0, together * segment_size);
      const std::size_t segments = (piece.size() + segment_size - 1) / segment_size;
      data.remove_prefix(piece.size());
      QueuedDatagram* const item = append(static_cast<std::uint32_t>(segments));
      if (item == nullptr) continue;
      item->to = to;
      item->head = piece;
      item->segment_size = segments == 1 ? piece.size() : segment_size;
      item->source = queue.add_source(source);
    }
  }

  SegmentPolicy policy(const UdpSocket& socket) {
    if (counters.datagrams >= segments_retry_at) segment_limit = SIZE_MAX;
    return {coalesce && socket.can_segment(), segment_limit};
  }

  void sent(const Message& message) {
    counters.datagrams += message.datagrams;
    counters.bytes += message.bytes;
    if (suspected != SIZE_MAX && message.segment_size == 0) {
      // Sent singly it works, so the segments failed, not, say, the source address.
      segment_limit = suspected;
      segments_retry_at = counters.datagrams + kSegmentRetry;
      suspected = SIZE_MAX;
    }
    queue.advance(message);
  }

  void refuse(const Message& message, int error) {
    if (error == ENOBUFS || error == ENOMEM) {
      counters.no_room += message.datagrams;
    } else if (error == EMSGSIZE) {
      counters.too_big += message.datagrams;
    } else {
      counters.refused += message.datagrams;
    }
    const Endpoint to = queue.peer(message);
    queue.advance(message);
    if (!refused_callback) return;
    for (std::uint32_t i = 0; i < message.datagrams; ++i) refused_callback(to, error);
  }

  // The first message of those left in the batch failed. Says whether the batch is still good.
  enum class After { retry, skip, refill };
  After failed(const Message& message, int error, UdpSocket& socket) {
    if (message.segment_size != 0 && is_about_segments(error)) {
      suspected = error == EIO ? 0 : message.segment_size;
      singly_until = message.end.entry;
      return After::refill;
    }
    if (error == EMSGSIZE && socket.atomic() && !fragments) {
      fragments = true;
      socket.allow_fragments(true);
      return After::retry;
    }
    if (!retried && may_be_of_an_earlier_one(error)) {
      retried = true;
      ++counters.interrupted;
      if (socket.connected() && refused_callback) refused_callback(queue.peer(message), error);
      return After::retry;
    }
    suspected = SIZE_MAX;
    refuse(message, error);
    return After::skip;
  }

  // Sends the batch as far as it goes; false when the socket would block.
  bool send_batch(UdpSocket& socket) {
    std::size_t at = 0;
    while (at < batch.size()) {
      const int count =
          ::sendmmsg(socket.fd(), batch.headers() + at, static_cast<unsigned>(batch.size() - at),
                     MSG_DONTWAIT | MSG_NOSIGNAL);
      ++counters.system_calls;
      if (count > 0) {
        for (int i = 0; i < count; ++i) sent(batch[at++]);
        retried = false;
        continue;
      }
      if (errno == EINTR) continue;
      if (count == 0 || errno == EAGAIN || errno == EWOULDBLOCK) return false;
      const After after = failed(batch[at], errno, socket);
      if (after == After::refill) return true;
      if (after == After::retry) continue;
      retried = false;
      ++at;
    }
    return true;
  }

  std::size_t flush(UdpSocket& socket) {
    queue.arrange();
    singly_until = 0;
    retried = false;
    while (!queue.empty()) {
      if (!socket.connected() && queue.front_has_no_port()) {
        refuse(queue.front(), EINVAL);
        continue;
      }
      queue.fill(batch, policy(socket), singly_until, socket.connected());
      if (!send_batch(socket)) break;
    }
    if (std::exchange(fragments, false)) socket.allow_fragments(false);
    return queue.datagrams();
  }

  DatagramQueue queue;
  bool coalesce;
  MessageBatch batch;
  DatagramSenderCounters counters;
  OnRefused refused_callback;
  std::size_t segment_limit = SIZE_MAX;  // segments from this size on are not tried
  std::uint64_t segments_retry_at = 0;
  std::size_t suspected = SIZE_MAX;  // the size that just failed, until one by one works
  std::size_t singly_until = 0;      // entries before it go one by one
  bool retried = false;              // the message at hand has met an error already
  bool fragments = false;            // allowed until the end of this flush
};

DatagramSender::DatagramSender() : DatagramSender(Options()) {}

DatagramSender::DatagramSender(const Options& options) : impl_(std::make_unique<Impl>(options)) {}

DatagramSender::~DatagramSender() = default;
DatagramSender::DatagramSender(DatagramSender&&) noexcept = default;
DatagramSender& DatagramSender::operator=(DatagramSender&&) noexcept = default;

void DatagramSender::add(const Endpoint& to, std::string_view head, std::string_view body,
                         const DatagramSource& source, bool ect) {
  impl_->push(to, head, body, source, ect);
}

void DatagramSender::add_segments(const Endpoint& to, std::string_view data,
                                  std::size_t segment_size, const DatagramSource& source) {
  impl_->push_segments(to, data, segment_size, source);
}

void DatagramSender::on_refused(OnRefused callback) {
  impl_->refused_callback = std::move(callback);
}

std::size_t DatagramSender::flush(UdpSocket& socket) {
  return impl_->flush(socket);
}

bool DatagramSender::full() const {
  return impl_->queue.full();
}

void DatagramSender::drop_queued() {
  impl_->counters.no_room += impl_->queue.datagrams();
  impl_->queue.clear();
}

std::size_t DatagramSender::queued() const {
  return impl_->queue.datagrams();
}

const DatagramSenderCounters& DatagramSender::counters() const {
  return impl_->counters;
}

}  // namespace netkit
