// Answers the clients of one listening socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <echo/printer.hpp>
#include <echo/serve_settings.hpp>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/source_rate_limiter.hpp>
#include <netkit/net/tcp_listener.hpp>
#include <netkit/net/tcp_stream.hpp>
#include <netkit/util/log.hpp>

namespace netkit::echo {

// [loop] A client that does not read what it is sent is not read from either, so its cost is
// bounded by the stream's high water mark.
class TcpResponder {
 public:
  // All references outlive it.
  TcpResponder(EventLoop& loop, FileDescriptor listening, const ServeSettings& settings,
               ClientCount& clients, Printer& printer, const Log& log);
  ~TcpResponder();
  void add_to(ServeCounters& counters) const;

 private:
  class Client;
  using Clients = std::list<Client>;  // the one that has been silent the longest is the first

  void on_accept(FileDescriptor socket, const Endpoint& peer);
  bool admit(const Endpoint& peer);
  void on_exhausted(int error);
  void on_data(Client& client, std::string_view data);
  void reply(Client& client, std::string_view data);
  void hold_to_rate(Client& client);
  void remove(Client& client);
  void close_idle();
  void watch_idle();
  bool say_now();

  EventLoop& loop_;
  const ServeSettings& settings_;
  ClientCount& count_;
  Printer& printer_;
  const Log& log_;
  SourceRateLimiter limiter_;
  std::string rendered_;
  std::uint64_t number_ = 0;
  ServeCounters counters_;
  TimePoint said_ = TimePoint::min();
  Clients clients_;
  Timer idle_timer_;
  TcpListener listener_;
};

}  // namespace netkit::echo
