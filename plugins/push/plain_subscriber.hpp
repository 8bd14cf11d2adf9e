// A subscription by plain datagrams: the name again and again, and whatever comes is a record.
#pragma once

#include <push/subscription.hpp>
#include <string>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/datagram_receiver.hpp>
#include <netkit/net/udp_socket.hpp>

namespace netkit::push {

class PlainSubscriber final : public Subscription {
 public:
  static constexpr Duration kRepeat = std::chrono::seconds(10);

  // `handler` outlives it. Throws SystemError when there is no way to the server.
  PlainSubscriber(EventLoop& loop, const Endpoint& server, std::string name, Handler& handler);
  void leave() override {}

 private:
  void register_name();
  void read();
  void on_error(int error);

  EventLoop& loop_;
  std::string name_;
  Handler& handler_;
  UdpSocket socket_;
  DatagramReceiver receiver_;
  bool over_ = false;
  Timer repeat_;
  Watch watch_;
};

}  // namespace netkit::push
