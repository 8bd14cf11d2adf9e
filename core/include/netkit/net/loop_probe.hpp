// The port from which a server asks a peer that may be a server itself (loop_guard.hpp).
#pragma once

#include <functional>
#include <string_view>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/endpoint.hpp>
#include <netkit/net/udp_socket.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// [loop] Has a socket only while an answer may come.
class NETKIT_API LoopProbe {
 public:
  using OnAnswer = std::function<void(const Endpoint& peer)>;
  // `local` is the address that peers know the server by; its port is not used.
  LoopProbe(EventLoop& loop, const Endpoint& local, OnAnswer on_answer);

  // Sends `reply` from the probing port, and listens there for `wait` from now on. A machine that
  // has no socket left for it does without.
  void send(const Endpoint& peer, std::string_view reply, Duration wait);

 private:
  bool open();
  void close();
  void read();

  EventLoop& loop_;
  Endpoint local_;
  OnAnswer on_answer_;
  UdpSocket socket_;
  Watch watch_;
  Timer closing_;
};

}  // namespace netkit
