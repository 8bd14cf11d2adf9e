#include "http/http_connection.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include <netkit/http/http1.hpp>
#include <netkit/net/interfaces.hpp>
#include <netkit/net/server_sockets.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/quantity.hpp>

namespace netkit {

HttpChunk::HttpChunk(std::string_view body) : size_(body.size()) {
  std::string encoded;
  encoded.reserve(body.size() + 16);
  append_chunk(encoded, body);
  begin_ = encoded.size() - 2 - body.size();
  encoded_ = std::make_shared<const std::string>(std::move(encoded));
}

HttpStream::~HttpStream() = default;

void HttpStream::write(const HttpChunk& chunk) {
  if (!ended_) carrier_->send(chunk);
}

void HttpStream::write(std::string_view body) {
  if (!ended_ && !body.empty()) carrier_->send(body);
}

void HttpStream::end() {
  if (ended_) return;
  ended_ = true;
  carrier_->end();
}

void HttpStream::cut() {
  if (ended_) return;
  ended_ = true;
  carrier_->cut();
}

void HttpLater::give(const HttpAnswer& answer) {
  if (const auto give = std::exchange(give_, {})) give(answer);
}

// A library that cannot be loaded, be it for want of descriptors, costs this connection alone.
void HttpServer::Connection::on_open(std::string_view alpn) {
  try {
    protocol_ = alpn == "h2" ? Protocol::http2(*this) : Protocol::http1(*this);
  } catch (const Error& error) {
    server().notice(fmt::format("{} closed: {}", peer().to_string(), error.what()));
    abort();
  }
}

void HttpServer::Connection::on_gone(int /*error*/, std::string_view /*reason*/) {
  timer_.reset();
  if (protocol_) protocol_->on_gone();
}

HttpAnswer HttpServer::Connection::answer_to(const HttpRequest& request) {
  ++http_.counters_.requests;
  if (over_limit()) {
    const TcpServer::Options& tcp = options().tcp;
    return refusal(503, full_text(tcp.max_clients, "client", tcp.limit_option));
  }
  if (server().log().enabled(LogLevel::info)) {
    say(fmt::format("{} {}", request.method, request.path));
  }
  return http_.routes_.answer(request);
}

HttpAnswer HttpServer::Connection::refusal(int status, std::string_view reason) {
  if (server().log().enabled(LogLevel::info)) say(fmt::format("answered {}: {}", status, reason));
  return HttpAnswer::text(status, reason);
}

void HttpServer::Connection::await(HttpAnswer& head, HttpLater::Give give) {
  head.later->give_ = [headers = std::move(head.headers),
                       give = std::move(give)](const HttpAnswer& given) {
    give({.status = given.status,
          .type = given.type,
          .headers = given.headers + headers,
          .body = given.body});
  };
}

std::optional<WallTime> HttpServer::Connection::date() const {
  if (!options().has_date) return std::nullopt;
  return http_.loop_.clock().wall();
}

void HttpServer::Connection::add(HttpStream& stream, HttpStream::Carrier& carrier) {
  stream.carrier_ = &carrier;
  stream.slot_ = http_.streams_.size();
  http_.streams_.push_back(&stream);
  ++http_.counters_.streams;
}

void HttpServer::Connection::remove(HttpStream& stream) {
  HttpStream* const last = http_.streams_.back();
  last->slot_ = stream.slot_;
  http_.streams_[stream.slot_] = last;
  http_.streams_.pop_back();
  stream.ended_ = true;
  stream.on_gone();
}

void HttpServer::Connection::wait_for_request(std::function<bool()> is_begun) {
  timer_ = http_.loop_.after(options().request_timeout, [this, is_begun = std::move(is_begun)] {
    if (is_begun() && !closing()) {
      ++http_.counters_.request_timeouts;
      if (!options().timeout_option.empty()) {
        server().notice(fmt::format("{}: its request took longer than {} ({})", peer().to_string(),
                                    format_duration(options().request_timeout),
                                    options().timeout_option));
      }
    }
    abort();
  });
}

void HttpServer::Connection::say(std::string_view what) {
  server().log().info(fmt::format("{}: {}", peer().to_string(), what));
}

namespace {

// That is not loopback.
std::optional<IpAddress> first_address() {
  for (const Interface& interface : interfaces()) {
    if (interface.loopback || !interface.up) continue;
    for (const InterfaceAddress& one : interface.addresses) {
      if (one.address.is_v4()) return one.address;
    }
  }
  return std::nullopt;
}

TcpServer::Options with_handshake(const HttpServer::Options& options) {
  TcpServer::Options tcp = options.tcp;
  tcp.handshake_timeout = options.request_timeout;
  tcp.handshake_option = options.timeout_option;
  return tcp;
}

}  // namespace

HttpServer::HttpServer(EventLoop& loop, const Log& log, Options options, HttpRoutes routes)
    : loop_(loop),
      options_(std::move(options)),
      routes_(std::move(routes)),
      bodies_(HeldBytes::room_for(options_.limits.max_body)),
      tcp_(loop, log, with_handshake(options_),
           [this](const Endpoint&) { return std::make_unique<Connection>(*this); }) {
  options_.limits.bodies = &bodies_;
}

HttpServer::~HttpServer() = default;

std::string HttpServer::announce_page() const {
  if (::isatty(STDERR_FILENO) != 1) return {};
  Endpoint local = tcp_.locals().front();
  if (local.address().is_unspecified()) {
    local = Endpoint(first_address().value_or(*IpAddress::parse("127.0.0.1")), local.port());
  }
  std::string url =
      fmt::format("{}://{}/", options_.tcp.tls == nullptr ? "http" : "https", local.to_string());
  tcp_.log().notice(fmt::format("open {} in a browser", url));
  return url;
}

void HttpServer::close() {
  close_all_but_streams();
  for_each_stream([](HttpStream& stream) { stream.end(); });
}

void HttpServer::close_all_but_streams() {
  tcp_.for_each<Connection>([](Connection& connection) {
    if (!connection.closing()) connection.stop();
  });
}

}  // namespace netkit
