#include "net/unreachable.hpp"

#include <array>
#include <cerrno>
#include <ctime>
#include <netinet/in.h>
#include <sys/socket.h>

// Needs <ctime> before it.
#include <linux/errqueue.h>

namespace netkit {

namespace {

constexpr int kReadsPerTurn = 1024;

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

void report_unreachable(const UdpSocket& socket) {
  const int on = 1;
  // Without it nothing is known of closed ports, which is no reason not to serve.
  if (socket.local().is_v4()) {
    (void)::setsockopt(socket.fd(), IPPROTO_IP, IP_RECVERR, &on, sizeof on);
  } else {
    (void)::setsockopt(socket.fd(), IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
  }
}

void read_unreachable(const UdpSocket& socket,
                      const std::function<void(const Endpoint& to)>& callback) {
  for (int i = 0; i < kReadsPerTurn; ++i) {
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
    if (::recvmsg(socket.fd(), &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return;
    if (says_refused(message)) callback(to);
  }
}

}  // namespace netkit
