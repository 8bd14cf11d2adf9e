// UDP sockets on loopback, and waiting for what they receive with a deadline.
#pragma once

#include <cerrno>
#include <chrono>
#include <poll.h>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/net/datagram_receiver.hpp>
#include <netkit/net/udp_socket.hpp>

namespace netkit::test {

inline Endpoint loopback(std::string_view text = "127.0.0.1:0") {
  return Endpoint::parse(text).value();
}

inline UdpSocket open_udp(const UdpOptions& options = {}, std::string_view at = "127.0.0.1:0") {
  return UdpSocket::bound(loopback(at), options);
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
