// A connection of HttpServer, and what its two protocols have in common.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include <netkit/http/http_server.hpp>

namespace netkit {

// The HTTP that a connection speaks. [loop]
class HttpServer::Protocol {
 public:
  virtual ~Protocol() = default;
  // As TcpServer::Connection has them.
  virtual void on_received(std::string_view data) = 0;
  virtual void on_half_closed() = 0;
  virtual void on_gone() = 0;
  virtual void on_backed_up() = 0;
  virtual void on_drained() = 0;
  // Takes no further request. The connection closes when its streams have ended.
  virtual void stop() = 0;

  static std::unique_ptr<Protocol> http1(Connection& connection);
  static std::unique_ptr<Protocol> http2(Connection& connection);
};

class HttpServer::Connection final : public TcpServer::Connection {
 public:
  // What clients log in by, and what is set to know them again, is in heads.
  explicit Connection(HttpServer& http) : http_(http) { show_bytes(false); }

  HttpServer& http() { return http_; }
  const HttpServer::Options& options() const { return http_.options_; }

  // By the routes; 503 where there is no room for this connection.
  HttpAnswer answer_to(const HttpRequest& request);
  // The answer to a request that is refused before routing.
  HttpAnswer refusal(int status, std::string_view reason);
  std::optional<WallTime> date() const;
  void add(HttpStream& stream, HttpStream::Carrier& carrier);
  void remove(HttpStream& stream);
  void stop() { protocol_ ? protocol_->stop() : close(); }

  // Ends the connection unless stop_waiting(), or this again, is called in time. `is_begun` says
  // whether a request has begun by then: only that is reported.
  void wait_for_request(std::function<bool()> is_begun);
  void stop_waiting() { timer_.reset(); }
  bool is_waiting() const { return timer_.pending(); }

  // The holder of head.later answers by `give`, with head's headers, unless forget() comes first.
  static void await(HttpAnswer& head, HttpLater::Give give);
  static void forget(HttpLater& later) { later.give_ = {}; }

  // HttpStream makes HttpServer its friend, and so this.
  static void open(HttpStream& stream) { stream.on_open(); }
  static void back_up(HttpStream& stream) { stream.on_backed_up(); }
  static void drain(HttpStream& stream) { stream.on_drained(); }

 private:
  void on_open(std::string_view alpn) override;
  void on_received(std::string_view data) override { protocol_->on_received(data); }
  void on_half_closed() override { protocol_->on_half_closed(); }
  void on_gone(int error, std::string_view reason) override;
  void on_backed_up() override { protocol_->on_backed_up(); }
  void on_drained() override { protocol_->on_drained(); }
  void say(std::string_view what);

  HttpServer& http_;
  std::unique_ptr<Protocol> protocol_;  // from on_open() on
  Timer timer_;                         // until which a request has to have come
};

}  // namespace netkit
