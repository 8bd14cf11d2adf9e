// The HTTP server of every command: routes (http_routes.hpp) behind a TcpServer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/http/http_body.hpp>
#include <netkit/http/http_routes.hpp>
#include <netkit/net/tcp_server.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// [loop] HTTP/1.1 (and 1.0) with keep-alive and pipelining, and HTTP/2 where TLS agreed on it
// (alpn()). A request with a body is the last of its connection in HTTP/1.1, unless limits.max_body
// lets bodies be read. A client that sends requests without reading the answers is not read from
// either; a connection whose request does not arrive in time is closed. A server without room
// answers 503. Bodies take 64 MiB together, or four times limits.max_body if that is more.
class NETKIT_API HttpServer {
 public:
  // What TLS is to offer (TlsServerOptions::alpn) so that browsers, which open six connections of
  // HTTP/1.1 to a host, have a hundred streams.
  static std::vector<std::string> alpn() { return {"h2", "http/1.1"}; }

  struct Options {
    TcpServer::Options tcp{};
    HttpLimits limits{};
    // How long a TLS handshake may take, then each request, and the option that says so; empty:
    // nothing is reported about those that take longer.
    Duration request_timeout = std::chrono::seconds(10);
    std::string_view timeout_option = "--request-timeout";
    bool keeps_alive = true;  // another request may follow
    bool has_date = true;     // answers have a Date
  };
  struct Counters {
    std::uint64_t requests = 0;
    std::uint64_t bad_requests = 0;
    std::uint64_t request_timeouts = 0;
    std::uint64_t streams = 0;  // that were begun
  };

  // `loop` and `log` outlive it.
  HttpServer(EventLoop& loop, const Log& log, Options options, HttpRoutes routes);
  ~HttpServer();

  // To listen, to stop accepting, and for what it counts.
  TcpServer& tcp() { return tcp_; }
  const TcpServer& tcp() const { return tcp_; }
  const Counters& counters() const { return counters_; }

  // At a terminal: logs the URL of the page and returns it. A server that listens on all addresses
  // is shown with one that other hosts can reach. Not at a terminal: logs nothing, returns "".
  std::string announce_page() const;

  // Calls visit(Stream&) with each stream that has not ended, in no order. It may end the one that
  // it is given.
  template <typename Stream = HttpStream, typename Visit>
  void for_each_stream(Visit&& visit);
  std::size_t streams() const { return streams_.size(); }  // those too that have ended
  // Closes the connections that are not streams, and ends these.
  void close();
  void close_all_but_streams();

 private:
  class Connection;
  class Protocol;
  class Http1;
  class Http2;

  EventLoop& loop_;
  Options options_;
  HttpRoutes routes_;
  HeldBytes bodies_;
  Counters counters_;
  std::vector<HttpStream*> streams_;
  TcpServer tcp_;
};

template <typename Stream, typename Visit>
void HttpServer::for_each_stream(Visit&& visit) {
  for (std::size_t i = streams_.size(); i-- > 0;) {
    if (i < streams_.size() && !streams_[i]->ended()) visit(static_cast<Stream&>(*streams_[i]));
  }
}

}  // namespace netkit
