// A subscription by plain datagrams: the name again and again, and whatever comes is a record.
#pragma once

#include <push/subscription.hpp>
#include <string>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/datagram_receiver.hpp>
#include <netkit/net/udp_socket.hpp>
#include <netkit/util/log.hpp>

namespace netkit::push {

class PlainSubscriber final : public Subscription {
 public:
  static constexpr Duration kRepeat = std::chrono::seconds(10);

  // `handler` and `log` outlive it. Throws SystemError when there is no way to the server.
  PlainSubscriber(EventLoop& loop, const Endpoint& server, std::string name, Handler& handler,
                  const Log& log);
  void leave() override {}

 private:
  void register_name();
  void read();
  void on_error(int error);

  EventLoop& loop_;
  Endpoint server_;
  std::string name_;
  Handler& handler_;
  const Log& log_;
  UdpSocket socket_;
  DatagramReceiver receiver_;
  bool over_ = false;
  Timer repeat_;
  Watch watch_;
};

}  // namespace netkit::push
