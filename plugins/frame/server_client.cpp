#include <algorithm>
#include <frame/options.hpp>
#include <frame/server_client.hpp>

#include <netkit/net/wire_log.hpp>
#include <netkit/util/duration.hpp>

namespace netkit::frame {

ServerClient::ServerClient(FrameServer& server, const Endpoint& peer)
    : server_(server),
      session_(server.options_.session, server.encoder_, server.host_.loop().now()),
      since_(server.host_.loop().now()),
      peer_(peer) {}

void ServerClient::start(FileDescriptor socket) {
  EventLoop& loop = server_.host_.loop();
  if (server_.recorder_.active()) connection_ = server_.recorder_.next_connection();
  if (server_.tls_) {
    handshake_due_ = saturating_add(since_, server_.options_.session.frame_timeout);
    stream_ =
        server_.tls_->make_stream(loop, std::move(socket), peer_, *this, {},
                                  [this](std::string_view) { handshake_due_ = TimePoint::max(); });
  } else {
    stream_ = make_tcp_stream(loop, std::move(socket), peer_, *this);
  }
  arm();
}

bool ServerClient::push(const SharedPayload& payload) {
  if (refused_ || stream_->queued() > server_.options_.max_queue) return false;
  if (connection_ != 0) server_.recorder_.record(connection_, Direction::to_client, *payload);
  log_sent(server_.host_.log(), peer_, *payload);
  stream_->write(payload);
  return true;
}

void ServerClient::on_data(ByteStream& stream, std::string_view data) {
  if (refused_) return;
  server_.counters_.bytes_in += data.size();
  log_received(server_.host_.log(), peer_, data);
  if (connection_ != 0) server_.recorder_.record(connection_, Direction::to_server, data);
  if (server_.printing_) server_.printer_.tick();
  ByteBuffer& answers = server_.answers_;
  answers.clear();
  const auto take = [this](const ServerReply& reply) {
    ++frames_;
    server_.on_request(*this, reply);
  };
  const FrameError error =
      session_.on_data(server_.host_.loop().now(), data, server_.datetime(), answers, take);
  if (!answers.empty()) {
    if (connection_ != 0)
      server_.recorder_.record(connection_, Direction::to_client, answers.view());
    log_sent(server_.host_.log(), peer_, answers.view());
    stream.write(answers.view());
  }
  if (!error) return arm();
  ++server_.counters_.protocol_errors;
  refuse(error.text());
}

void ServerClient::on_end(ByteStream& stream) {
  if (session_.pending() > 0 && !refused_) {
    ++server_.counters_.protocol_errors;
    server_.peers_log_.notice(peer_.to_string() + " closed in the middle of a frame: " +
                              counted(session_.pending(), "byte") + " came");
  }
  refused_ = true;
  stream.close();
}

void ServerClient::on_closed(ByteStream&, int, std::string_view reason) {
  if (!reason.empty()) server_.host_.log().info(peer_.to_string() + ": " + std::string(reason));
  server_.remove(*this);
}

void ServerClient::refuse(const std::string& reason) {
  const std::string_view other = opening_name(session_.opening());
  std::string line = peer_.to_string() + " closed: ";
  if (other.empty()) {
    line += reason;
  } else {
    line.append("it speaks ").append(other).append(", not frames");
  }
  server_.peers_log_.notice(line);
  refused_ = true;
  timer_.reset();
  stream_->close();
}

// A deadline that moves back is left to be found out when the timer runs: most of them move with
// every byte that comes.
void ServerClient::arm() {
  const TimePoint deadline = std::min(session_.next_deadline(), handshake_due_);
  if (deadline >= armed_) return;
  armed_ = deadline;
  timer_ = server_.host_.loop().at(deadline, [this] { on_deadline(); });
}

void ServerClient::on_deadline() {
  armed_ = TimePoint::max();
  const ServerOptions& options = server_.options_.session;
  const TimePoint now = server_.host_.loop().now();
  if (now >= handshake_due_) {
    ++server_.counters_.frame_timeouts;
    return refuse("its TLS handshake took longer than " + format_duration(options.frame_timeout) +
                  " (--frame-timeout)");
  }
  switch (session_.expired(now)) {
    case ServerSession::Expired::none:
      return arm();
    case ServerSession::Expired::frame:
      ++server_.counters_.frame_timeouts;
      return refuse("a frame took longer than " + format_duration(options.frame_timeout) +
                    " (--frame-timeout): " + std::to_string(session_.pending()) + " of " +
                    counted(session_.pending_total(), "byte") + " came");
    case ServerSession::Expired::idle:
      ++server_.counters_.idle_timeouts;
      return refuse("silent for " + format_duration(options.idle_timeout) + " (--idle-timeout)");
  }
}

}  // namespace netkit::frame
