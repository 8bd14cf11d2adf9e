// UDP sockets on loopback, and waiting for what they receive with a deadline.
#pragma once

#include <cerrno>
#include <chrono>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/net/datagram_receiver.hpp>
#include <netkit/net/udp_socket.hpp>
#include <netkit/util/file.hpp>

namespace netkit::test {

inline Endpoint loopback(std::string_view text = "127.0.0.1:0") {
  return Endpoint::parse(text).value();
}

inline UdpSocket open_udp(const UdpOptions& options = {}, std::string_view at = "127.0.0.1:0") {
  return UdpSocket::bound(loopback(at), options);
}

// On every address of IPv4 and of IPv6, as systemd makes one for a port alone.
inline UdpSocket open_udp_of_both_families(const UdpOptions& options = {}) {
  FileDescriptor both(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const int off = 0;
  EXPECT_EQ(::setsockopt(both.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off), 0);
  const Endpoint any = loopback("[::]:0");
  EXPECT_EQ(::bind(both.get(), any.data(), any.size()), 0);
  return UdpSocket::adopt(std::move(both), options);
}

inline bool wait_readable(const UdpSocket& socket, int milliseconds = 5000) {
  pollfd entry{socket.fd(), POLLIN, 0};
  return ::poll(&entry, 1, milliseconds) == 1;
}

struct Heard {
  std::string text;
  Endpoint from;
};

// Reads until there are `count` datagrams, or nothing was received for five seconds.
inline std::vector<Heard> hear(UdpSocket& socket, std::size_t count) {
  DatagramReceiver receiver;
  std::vector<Heard> heard;
  while (heard.size() < count && wait_readable(socket)) {
    for (const ReceivedMessage& message : receiver.receive(socket).messages) {
      for_each_datagram(message, [&](std::string_view text) {
        heard.push_back({std::string(text), *message.peer});
      });
    }
  }
  return heard;
}

inline std::vector<std::string> texts(const std::vector<Heard>& heard) {
  std::vector<std::string> all;
  all.reserve(heard.size());
  for (const Heard& one : heard) all.push_back(one.text);
  return all;
}

// Nothing more is in the socket. On loopback a datagram is there when its send returns.
inline bool is_empty(UdpSocket& socket) {
  char byte = 0;
  return socket.receive(&byte, 1, nullptr).would_block();
}

}  // namespace netkit::test
