// The TCP control channel: lines in, answers out, and the names that each connection holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <push/hub.hpp>
#include <string>
#include <string_view>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/tcp_listener.hpp>
#include <netkit/net/tcp_stream.hpp>
#include <netkit/util/file_descriptor.hpp>
#include <netkit/util/log.hpp>

namespace netkit::push {

// [loop] All references outlive it.
class ControlServer {
 public:
  struct Counters {
    std::uint64_t accepted = 0;
    std::uint64_t refused = 0;  // by --max-clients, or for want of descriptors
  };

  ControlServer(EventLoop& loop, FileDescriptor listening, Hub& hub, std::size_t max_clients,
                const Log& log);
  ~ControlServer();
  const Counters& counters() const { return counters_; }
  std::size_t clients() const { return clients_.size(); }

 private:
  class Client;
  using Clients = std::list<Client>;

  void on_accept(FileDescriptor socket, const Endpoint& peer);
  // False: the connection is to be closed.
  bool on_line(Client& client, std::string_view line);
  void answer_roster(Client& client, bool with_numbers);
  void remove(Client& client);
  void say_refused(const std::string& line);

  EventLoop& loop_;
  Hub& hub_;
  std::size_t max_clients_;
  const Log& log_;
  Clients clients_;
  std::uint64_t last_id_ = 0;
  std::string answer_;
  TimePoint said_ = TimePoint::min();
  Counters counters_;
  TcpListener listener_;
};

}  // namespace netkit::push
