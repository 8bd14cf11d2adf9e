// The kernel's own calls rather than Poco::Net::DatagramSocket: its sends throw on would-block, and
// it knows neither SO_RCVBUFFORCE, UDP_GRO, SO_RXQ_OVFL nor IP_PKTINFO.
#include "net/socket_error.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sys/socket.h>

// Needs <ctime> before it.
#include <linux/errqueue.h>

#include <netkit/net/interfaces.hpp>
#include <netkit/net/udp_socket.hpp>
#include <netkit/util/error.hpp>

namespace netkit {
namespace {

int set_option(int fd, int level, int name, int value) {
  return ::setsockopt(fd, level, name, &value, sizeof value) == 0 ? 0 : errno;
}

void require_option(int fd, int level, int name, int value, const char* what) {
  if (const int error = set_option(fd, level, name, value); error != 0) {
    throw SystemError(error, std::string("cannot ") + what);
  }
}

// SO_RCVBUF is cut to net.core.rmem_max; SO_RCVBUFFORCE is not, and needs CAP_NET_ADMIN.
void set_buffer(int fd, int forced_name, int name, int bytes) {
  if (bytes <= 0) return;
  if (set_option(fd, SOL_SOCKET, forced_name, bytes) != 0) set_option(fd, SOL_SOCKET, name, bytes);
}

IoResult result_of(ssize_t count) {
  if (count < 0) return {0, errno};
  return {static_cast<std::size_t>(count), 0};
}

template <typename Call>
IoResult uninterrupted(Call&& call) {
  ssize_t count = 0;
  do {
    count = call();
  } while (count < 0 && errno == EINTR);
  return result_of(count);
}

sa_family_t family_of(int fd) {
  int family = AF_INET;
  socklen_t size = sizeof family;
  ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size);
  return static_cast<sa_family_t>(family);
}

bool knows_segments(int fd) {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, SOL_UDP, UDP_SEGMENT, &value, &size) == 0;
}

constexpr int kErrorsPerTurn = 1024;

bool says_refused(msghdr& message) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    const bool v4 = part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR;
    const bool v6 = part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR;
    if (!v4 && !v6) continue;
    const auto* error = reinterpret_cast<const sock_extended_err*>(CMSG_DATA(part));
    const bool from_network =
        error->ee_origin == SO_EE_ORIGIN_ICMP || error->ee_origin == SO_EE_ORIGIN_ICMP6;
    return from_network && error->ee_errno == ECONNREFUSED;
  }
  return false;
}

}  // namespace

bool IoResult::would_block() const {
  return error == EAGAIN || error == EWOULDBLOCK;
}

UdpSocket::UdpSocket(sa_family_t family, const UdpOptions& options)
    : fd_(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)), family_(family) {
  if (!fd_) throw SystemError(errno, "cannot create a udp socket");
  if (family == AF_INET6) {
    require_option(fd(), IPPROTO_IPV6, IPV6_V6ONLY, 1, "keep IPv4 off an IPv6 socket");
  }
  apply(options);
}

UdpSocket UdpSocket::bound(const Endpoint& local, const UdpOptions& options) {
  UdpSocket socket(local.family(), options);
  if (::bind(socket.fd(), local.data(), local.size()) != 0) {
    throw bind_error(errno, "udp", local);
  }
  return socket;
}

UdpSocket UdpSocket::adopt(FileDescriptor fd, const UdpOptions& options) {
  UdpSocket socket;
  socket.fd_ = std::move(fd);
  socket.family_ = family_of(socket.fd());
  const int flags = ::fcntl(socket.fd(), F_GETFL);
  if (flags < 0 || ::fcntl(socket.fd(), F_SETFL, flags | O_NONBLOCK) != 0 ||
      ::fcntl(socket.fd(), F_SETFD, FD_CLOEXEC) != 0) {
    throw SystemError(errno, "cannot use the inherited udp socket");
  }
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  socket.connected_ = ::getpeername(socket.fd(), reinterpret_cast<sockaddr*>(&peer), &size) == 0;
  socket.apply(options);
  return socket;
}

void UdpSocket::apply(const UdpOptions& options) {
  if (options.share_port) require_option(fd(), SOL_SOCKET, SO_REUSEADDR, 1, "share a udp port");
  if (options.reuse_port) require_option(fd(), SOL_SOCKET, SO_REUSEPORT, 1, "reuse a udp port");
  if (options.broadcast) require_option(fd(), SOL_SOCKET, SO_BROADCAST, 1, "allow broadcasts");
  if (options.packet_info) report_destinations();
  if (options.ecn) report_ecn();
  if (options.dscp != 0) {
    const bool v6 = family_ == AF_INET6;
    require_option(fd(), v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TCLASS : IP_TOS,
                   static_cast<int>(options.dscp << 2U), "mark datagrams");
  }
  if (options.own_groups_only) {
    const bool v6 = family_ == AF_INET6;
    set_option(fd(), v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MULTICAST_ALL : IP_MULTICAST_ALL, 0);
  }
  // A kernel without one of these works as well, only slower or with less to tell.
  if (options.gro) set_option(fd(), SOL_UDP, UDP_GRO, 1);
  if (options.count_drops) set_option(fd(), SOL_SOCKET, SO_RXQ_OVFL, 1);
  set_buffer(fd(), SO_RCVBUFFORCE, SO_RCVBUF, options.receive_buffer);
  set_buffer(fd(), SO_SNDBUFFORCE, SO_SNDBUF, options.send_buffer);
  can_segment_ = knows_segments(fd());
  atomic_ = options.atomic && family_ == AF_INET;
  if (atomic_) allow_fragments(false);
}

void UdpSocket::report_ecn() {
  if (family_ == AF_INET6) set_option(fd(), IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
  set_option(fd(), IPPROTO_IP, IP_RECVTOS, 1);
}

void UdpSocket::report_destinations() {
  const bool v6 = family_ == AF_INET6;
  require_option(fd(), v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVPKTINFO : IP_PKTINFO, 1,
                 "ask for destination addresses");
}

void UdpSocket::allow_fragments(bool on) {
  set_option(fd(), IPPROTO_IP, IP_MTU_DISCOVER, on ? IP_PMTUDISC_WANT : IP_PMTUDISC_DO);
}

void UdpSocket::connect(const Endpoint& peer) {
  if (::connect(fd(), peer.data(), peer.size()) != 0) {
    const int error = errno;
    throw SystemError(error, "cannot connect udp to " + refused_address(error, peer),
                      socket_status(error));
  }
  connected_ = true;
}

Endpoint UdpSocket::local() const {
  Endpoint endpoint;
  socklen_t size = Endpoint::capacity();
  if (::getsockname(fd(), endpoint.data(), &size) != 0) {
    throw SystemError(errno, "cannot tell the address of a udp socket");
  }
  return endpoint;
}

IoResult UdpSocket::send(std::string_view data) {
  return uninterrupted([&] { return ::send(fd(), data.data(), data.size(), MSG_NOSIGNAL); });
}

IoResult UdpSocket::send_to(std::string_view data, const Endpoint& to) {
  return uninterrupted(
      [&] { return ::sendto(fd(), data.data(), data.size(), MSG_NOSIGNAL, to.data(), to.size()); });
}

IoResult UdpSocket::receive(char* buffer, std::size_t capacity, Endpoint* from) {
  return uninterrupted([&] {
    socklen_t size = Endpoint::capacity();
    return ::recvfrom(fd(), buffer, capacity, MSG_TRUNC, from != nullptr ? from->data() : nullptr,
                      from != nullptr ? &size : nullptr);
  });
}

unsigned UdpSocket::path_mtu() const {
  int mtu = 0;
  socklen_t size = sizeof mtu;
  const bool v6 = family_ == AF_INET6;
  const int got =
      ::getsockopt(fd(), v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU : IP_MTU, &mtu, &size);
  return got == 0 && mtu > 0 ? static_cast<unsigned>(mtu) : 0;
}

void UdpSocket::set_ttl(unsigned hops) {
  const bool v6 = family_ == AF_INET6;
  require_option(fd(), v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_UNICAST_HOPS : IP_TTL,
                 static_cast<int>(hops), "set the TTL");
}

void UdpSocket::set_multicast_ttl(unsigned hops) {
  const bool v6 = family_ == AF_INET6;
  require_option(fd(), v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MULTICAST_HOPS : IP_MULTICAST_TTL,
                 static_cast<int>(hops), "set the multicast TTL");
}

void UdpSocket::set_multicast_loop(bool on) {
  const bool v6 = family_ == AF_INET6;
  require_option(fd(), v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MULTICAST_LOOP : IP_MULTICAST_LOOP,
                 on ? 1 : 0, "set whether multicasts come back");
}

void UdpSocket::set_multicast_interface(unsigned index) {
  if (family_ == AF_INET6) {
    require_option(fd(), IPPROTO_IPV6, IPV6_MULTICAST_IF, static_cast<int>(index),
                   "choose the interface for multicasts");
    return;
  }
  ip_mreqn request{};
  request.imr_ifindex = static_cast<int>(index);
  if (::setsockopt(fd(), IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request) != 0) {
    throw SystemError(errno, "cannot choose the interface for multicasts");
  }
}

// The calls of RFC 3678 that are the same for both families.
void UdpSocket::join_group(const IpAddress& group, unsigned interface_index,
                           const std::optional<IpAddress>& source) {
  const int level = group.is_v6() ? IPPROTO_IPV6 : IPPROTO_IP;
  const Endpoint group_endpoint(group, 0);
  int result = 0;
  if (source) {
    const Endpoint source_endpoint(*source, 0);
    group_source_req request{};
    request.gsr_interface = interface_index;
    std::memcpy(&request.gsr_group, group_endpoint.data(), group_endpoint.size());
    std::memcpy(&request.gsr_source, source_endpoint.data(), source_endpoint.size());
    result = ::setsockopt(fd(), level, MCAST_JOIN_SOURCE_GROUP, &request, sizeof request);
  } else {
    group_req request{};
    request.gr_interface = interface_index;
    std::memcpy(&request.gr_group, group_endpoint.data(), group_endpoint.size());
    result = ::setsockopt(fd(), level, MCAST_JOIN_GROUP, &request, sizeof request);
  }
  if (result == 0 || errno == EADDRINUSE) return;  // EADDRINUSE: is a member already
  const int error = errno;
  std::string what = "cannot join " + group.to_string();
  if (interface_index != 0) what += " on " + interface_name(interface_index);
  throw SystemError(error, what);
}

void UdpSocket::bind_to_device(std::string_view interface) {
  if (::setsockopt(fd(), SOL_SOCKET, SO_BINDTODEVICE, interface.data(),
                   static_cast<socklen_t>(interface.size())) != 0) {
    throw SystemError(errno, "cannot bind to the interface " + std::string(interface));
  }
}

void UdpSocket::report_unreachable() {
  // Without it closed ports go unnoticed, which is no reason not to serve. An IPv6 socket that was
  // passed may take IPv4 as well.
  if (family_ == AF_INET6) set_option(fd(), IPPROTO_IPV6, IPV6_RECVERR, 1);
  set_option(fd(), IPPROTO_IP, IP_RECVERR, 1);
}

void UdpSocket::read_unreachable(const std::function<void(const Endpoint& to)>& callback) {
  for (int i = 0; i < kErrorsPerTurn; ++i) {
    Endpoint to;
    std::array<char, 64> payload{};
    alignas(cmsghdr) std::array<char, 512> control{};
    iovec vector{payload.data(), payload.size()};
    msghdr message{};
    message.msg_name = to.data();
    message.msg_namelen = Endpoint::capacity();
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    if (::recvmsg(fd(), &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return;
    if (says_refused(message)) callback(to);
  }
}

}  // namespace netkit
