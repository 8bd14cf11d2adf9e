#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/udp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <vector>

#include <netkit/net/datagram_receiver.hpp>
#include <netkit/util/error.hpp>

namespace netkit {
namespace {

constexpr std::size_t kCacheLine = 64;
constexpr unsigned kEcnBits = 3;  // of IPv4's TOS and IPv6's traffic class

// Room for UDP_GRO, SO_RXQ_OVFL, and the traffic class and destination of either family.
constexpr std::size_t kControlSize =
    2 * CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(std::uint32_t)) +
    CMSG_SPACE(sizeof(in_pktinfo)) + CMSG_SPACE(sizeof(in6_pktinfo));

struct alignas(cmsghdr) Control {
  std::array<char, kControlSize> bytes;
};

// Buffers for whole datagrams, of which only the pages that are written to cost memory: a short
// datagram touches one. Each buffer starts five cache lines further into its page than the one
// before; with all starts at the same offset they would fight for the same lines of the cache.
class LazyBuffers {
 public:
  LazyBuffers(std::size_t count, std::size_t capacity)
      : stride_((capacity + kCacheLine - 1) / kCacheLine * kCacheLine + 5 * kCacheLine),
        size_(stride_ * count) {
    void* const memory =
        ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw SystemError(errno, "cannot create the receive buffers");
    ::madvise(memory, size_, MADV_NOHUGEPAGE);  // a huge page would be touched as a whole
    base_ = static_cast<char*>(memory);
  }
  LazyBuffers(const LazyBuffers&) = delete;
  LazyBuffers& operator=(const LazyBuffers&) = delete;
  ~LazyBuffers() { ::munmap(base_, size_); }
  char* at(std::size_t index) const { return base_ + index * stride_; }

 private:
  std::size_t stride_;
  std::size_t size_;
  char* base_ = nullptr;
};

template <typename Value>
Value read_value(const cmsghdr* header) {
  Value value{};
  std::memcpy(&value, CMSG_DATA(header), sizeof value);
  return value;
}

IpAddress v6_address(const in6_addr& raw, unsigned interface_index) {
  std::array<std::uint8_t, 16> bytes;
  std::memcpy(bytes.data(), &raw, bytes.size());
  const IpAddress address = IpAddress::v6(bytes);
  const bool scoped = address.is_v6() && (address.is_link_local() || address.is_multicast());
  return scoped ? IpAddress::v6(bytes, interface_index) : address;
}

}  // namespace

struct DatagramReceiver::Impl {
  Impl(std::size_t batch, std::size_t buffer_capacity)
      : capacity(buffer_capacity),
        buffers(batch, buffer_capacity),
        headers(batch),
        vectors(batch),
        peers(batch),
        controls(batch),
        messages(batch) {
    for (std::size_t i = 0; i < batch; ++i) {
      vectors[i] = {buffers.at(i), capacity};
      msghdr& header = headers[i].msg_hdr;
      header.msg_iov = &vectors[i];
      header.msg_iovlen = 1;
      header.msg_name = peers[i].data();
      header.msg_control = controls[i].bytes.data();
      messages[i].peer = &peers[i];
    }
    reset(batch);
  }

  // The kernel overwrites both sizes in the headers that it fills.
  void reset(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      headers[i].msg_hdr.msg_namelen = Endpoint::capacity();
      headers[i].msg_hdr.msg_controllen = sizeof(Control);
    }
  }

  void read_control(msghdr& header, ReceivedMessage& message) {
    for (cmsghdr* entry = CMSG_FIRSTHDR(&header); entry != nullptr;
         entry = CMSG_NXTHDR(&header, entry)) {
      if (entry->cmsg_level == SOL_UDP && entry->cmsg_type == UDP_GRO) {
        message.segment_size = static_cast<std::size_t>(read_value<int>(entry));
      } else if (entry->cmsg_level == SOL_SOCKET && entry->cmsg_type == SO_RXQ_OVFL) {
        count_drops(read_value<std::uint32_t>(entry));
      } else if (entry->cmsg_level == IPPROTO_IP && entry->cmsg_type == IP_PKTINFO) {
        const auto info = read_value<in_pktinfo>(entry);
        message.destination = IpAddress::v4(info.ipi_addr.s_addr);
        message.interface_index = static_cast<unsigned>(info.ipi_ifindex);
      } else if (entry->cmsg_level == IPPROTO_IP && entry->cmsg_type == IP_TOS) {
        message.ecn = read_value<std::uint8_t>(entry) & kEcnBits;
      } else if (entry->cmsg_level == IPPROTO_IPV6 && entry->cmsg_type == IPV6_TCLASS) {
        message.ecn = static_cast<std::uint8_t>(read_value<int>(entry)) & kEcnBits;
      } else if (entry->cmsg_level == IPPROTO_IPV6 && entry->cmsg_type == IPV6_PKTINFO) {
        const auto info = read_value<in6_pktinfo>(entry);
        message.destination = v6_address(info.ipi6_addr, info.ipi6_ifindex);
        message.interface_index = info.ipi6_ifindex;
      }
    }
  }

  // The kernel counts per socket and in 32 bits, which a flood runs through in an hour or so. A
  // count that falls from the lower half is that of a new socket with an old one's number.
  void count_drops(std::uint32_t reported) {
    const auto same = [this](const Reported& entry) { return entry.fd == fd; };
    auto known = std::find_if(reports.begin(), reports.end(), same);
    if (known == reports.end()) known = reports.insert(reports.end(), {fd, 0});
    if (reported < known->drops && known->drops < UINT32_MAX / 2) known->drops = 0;
    drops += reported - known->drops;
    known->drops = reported;
  }

  void fill(std::size_t index) {
    msghdr& header = headers[index].msg_hdr;
    ReceivedMessage& message = messages[index];
    message.data = {buffers.at(index), headers[index].msg_len};
    message.truncated = (header.msg_flags & MSG_TRUNC) != 0;
    message.segment_size = 0;
    message.ecn = 0;
    message.destination = {};
    message.interface_index = 0;
    if (header.msg_controllen != 0) read_control(header, message);
    if (message.segment_size >= message.data.size()) message.segment_size = 0;
  }

  std::size_t capacity;
  LazyBuffers buffers;
  std::vector<mmsghdr> headers;
  std::vector<iovec> vectors;
  std::vector<Endpoint> peers;
  std::vector<Control> controls;
  std::vector<ReceivedMessage> messages;
  struct Reported {
    int fd;
    std::uint32_t drops;
  };
  std::vector<Reported> reports;  // of the few sockets that one receiver reads
  std::uint64_t drops = 0;
  int fd = -1;  // the one being read
};

DatagramReceiver::DatagramReceiver(std::size_t batch, std::size_t capacity)
    : impl_(std::make_unique<Impl>(std::clamp<std::size_t>(batch, 1, UIO_MAXIOV),
                                   std::max<std::size_t>(capacity, 1))) {}

DatagramReceiver::~DatagramReceiver() = default;
DatagramReceiver::DatagramReceiver(DatagramReceiver&&) noexcept = default;
DatagramReceiver& DatagramReceiver::operator=(DatagramReceiver&&) noexcept = default;

DatagramReceiver::Result DatagramReceiver::receive(UdpSocket& socket) {
  Impl& self = *impl_;
  self.fd = socket.fd();
  int count = 0;
  do {
    count = ::recvmmsg(socket.fd(), self.headers.data(), static_cast<unsigned>(self.headers.size()),
                       MSG_DONTWAIT, nullptr);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return {{}, errno};
  const auto received = static_cast<std::size_t>(count);
  for (std::size_t i = 0; i < received; ++i) self.fill(i);
  self.reset(received);
  return {std::span(self.messages).first(received), 0};
}

std::uint64_t DatagramReceiver::kernel_drops() const {
  return impl_->drops;
}

}  // namespace netkit
