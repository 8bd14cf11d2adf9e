// `--metrics ADDRESS`: the totals over HTTP, in Prometheus' text format.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/endpoint.hpp>
#include <netkit/net/tcp_listener.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// [loop] Answers `GET /metrics` (RFC 9112), one request a connection; anything else with 404 or
// 405. A handful of connections at a time, each for a few seconds and with a short request,
// whatever a client does.
class NETKIT_API MetricsServer {
 public:
  // `address` as a server's: `PORT` is loopback, `:PORT` every interface. `text` is asked for each
  // answer. Throws Error.
  MetricsServer(EventLoop& loop, const std::string& address, std::function<std::string()> text);
  ~MetricsServer();
  std::vector<Endpoint> locals() const;

 private:
  class Connection;
  void accept(FileDescriptor socket, const Endpoint& peer);
  void remove(const Connection& connection);

  EventLoop& loop_;
  std::function<std::string()> text_;
  std::vector<std::unique_ptr<TcpListener>> listeners_;
  std::list<std::unique_ptr<Connection>> connections_;
};

// The answer to a request whose first line is `request`, whole.
NETKIT_API std::string metrics_answer(std::string_view request,
                                      const std::function<std::string()>& text);

}  // namespace netkit
