// What a DatagramSender has to send, and how it is cut into messages for the kernel. Nothing here
// makes a system call.
#pragma once

#include "net/peer_groups.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <netinet/in.h>
#include <string_view>
#include <sys/socket.h>
#include <sys/uio.h>
#include <vector>

#include <netkit/net/datagram_sender.hpp>
#include <netkit/net/endpoint.hpp>

namespace netkit {

inline constexpr std::size_t kMaxSegments = 64;     // the kernel's UDP_MAX_SEGMENTS, at least
inline constexpr std::size_t kMaxPayload = 65'507;  // 65,535 less an IPv4 and a UDP header

// One datagram, or several of `segment_size` bytes each that lie one after another.
struct QueuedDatagram {
  Endpoint to;
  std::uint32_t segments = 1;
  std::string_view head{};
  std::string_view body{};
  std::size_t segment_size = 0;  // a single datagram's whole size
  std::uint32_t source = 0;      // one more than the index of its source; 0: none
  bool ect = false;              // sent as ECT(0)

  std::size_t size() const { return head.size() + body.size(); }
  // All but the last datagram of a UDP_SEGMENT message must have its segment size, so nothing may
  // follow a shorter one.
  bool ends_short() const { return size() != segments * segment_size; }
};

// Which messages may be put together by UDP_SEGMENT.
struct SegmentPolicy {
  bool allowed = true;
  std::size_t size_limit = SIZE_MAX;  // only segments shorter than this
};

// A place in the queue: the position in the sending order, and the segment within that entry.
struct QueuePosition {
  std::size_t entry = 0;
  std::uint32_t segment = 0;
};

// A run of queued datagrams as messages of one sendmmsg call. It stays where it is, as the headers
// point into it.
class MessageBatch {
 public:
  static constexpr std::size_t kMessages = 64;

  struct Message {
    QueuePosition end;  // where the queue goes on behind it
    std::uint32_t first_entry = 0;
    std::uint32_t datagrams = 0;
    std::size_t bytes = 0;
    std::size_t segment_size = 0;  // 0: sent without UDP_SEGMENT
  };

  std::size_t size() const { return count_; }
  mmsghdr* headers() { return headers_.data(); }
  const Message& operator[](std::size_t index) const { return messages_[index]; }

 private:
  friend class DatagramQueue;
  static constexpr std::size_t kVectors = 1024;
  struct alignas(cmsghdr) Control {
    std::array<char, CMSG_SPACE(sizeof(std::uint16_t)) + CMSG_SPACE(sizeof(int)) +
                         CMSG_SPACE(sizeof(in6_pktinfo))>
        bytes{};  // padding, too
  };

  void clear() { count_ = vectors_used_ = 0; }
  bool has_room() const {
    return count_ < kMessages && kVectors - vectors_used_ >= 2 * kMaxSegments;
  }
  void open(const QueuedDatagram& item, std::uint32_t entry, bool connected);
  void add_bytes(std::string_view bytes);
  void close(const Message& message, const QueuedDatagram& first, const DatagramSource* source);

  std::size_t count_ = 0;
  std::size_t vectors_used_ = 0;
  std::array<mmsghdr, kMessages> headers_{};
  std::array<Message, kMessages> messages_{};
  std::array<Control, kMessages> controls_;
  std::array<iovec, kVectors> vectors_;
};

// [one thread]
class DatagramQueue {
 public:
  DatagramQueue(bool group, std::size_t max_entries, std::uint64_t seed)
      : group_(group), max_entries_(max_entries), peers_(seed) {}

  bool full() const { return items_.size() - position_.entry >= max_entries_; }
  bool empty() const { return position_.entry == items_.size(); }
  std::size_t datagrams() const { return datagrams_; }  // that wait

  // One more, for the caller to fill in: copied from a temporary, it would wait for the stores that
  // made that.
  QueuedDatagram& append(std::uint32_t segments);
  // What a QueuedDatagram has for its source: 0 for the routing table's choice.
  std::uint32_t add_source(const DatagramSource& source);
  void clear();

  // Sets the order of what waits; once before a run of fill() and advance().
  void arrange();
  // Builds messages from the front on, up to an entry without a port. Entries before
  // `singly_until` are sent without UDP_SEGMENT.
  void fill(MessageBatch& batch, const SegmentPolicy& policy, std::size_t singly_until,
            bool connected);
  // The message was sent or given up.
  void advance(const MessageBatch::Message& message);
  const Endpoint& peer(const MessageBatch::Message& message) const {
    return items_[order_[message.first_entry]].to;
  }
  // The first entry as one message, when it must not be given to the kernel: nothing listens on
  // port 0, and Linux answers EINVAL.
  bool front_has_no_port() const { return item(position_.entry).to.port() == 0; }
  MessageBatch::Message front() const;

 private:
  MessageBatch::Message build_run(MessageBatch& batch, std::size_t entry,
                                  const SegmentPolicy& policy) const;
  QueuePosition build_singly(MessageBatch& batch, QueuePosition at, bool connected) const;
  const QueuedDatagram& item(std::size_t entry) const { return items_[order_[entry]]; }
  void close(MessageBatch& batch, const MessageBatch::Message& message) const;
  void drop_sent();
  void keep(QueuedDatagram kept);

  bool group_;
  std::size_t max_entries_;
  std::vector<QueuedDatagram> items_;
  std::vector<DatagramSource> sources_;
  std::vector<QueuedDatagram> kept_;  // for drop_sent(), as the next
  std::vector<DatagramSource> kept_sources_;
  std::vector<std::uint32_t> order_;  // of items_, from position_ on yet to be sent
  QueuePosition position_;
  std::size_t datagrams_ = 0;
  PeerGroups peers_;
};

}  // namespace netkit
