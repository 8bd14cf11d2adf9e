#include <algorithm>
#include <sse/event_client.hpp>
#include <sse/event_encoder.hpp>
#include <string>

#include <netkit/net/wire_log.hpp>
#include <netkit/util/duration.hpp>
#include <netkit/util/text.hpp>

namespace netkit::sse {
namespace {

constexpr std::size_t kReplayPerTurn = std::size_t{64} << 10U;

}  // namespace

void EventClient::start(FileDescriptor socket) {
  EventLoop& loop = server_.host_.loop();
  parser_ = std::make_unique<HttpRequestParser>();
  wait_for_request();
  if (server_.tls_) {
    stream_ = server_.tls_->make_stream(loop, std::move(socket), peer_, *this, {},
                                        [](std::string_view) {});
  } else {
    stream_ = make_tcp_stream(loop, std::move(socket), peer_, *this);
  }
  stream_->set_water_marks(server_.options_.max_queue / 2, server_.options_.max_queue);
}

void EventClient::send(std::string_view bytes) {
  log_sent(server_.host_.log(), peer_, bytes);
  stream_->write(bytes);
}

void EventClient::send(const SharedPayload& payload) {
  log_sent(server_.host_.log(), peer_, *payload);
  stream_->write(payload);
}

void EventClient::close() {
  closing_ = true;
  stream_->close();
}

void EventClient::finish() {
  finishing_ = true;
  streaming_ ? catch_up() : close();
}

void EventClient::on_data(ByteStream&, std::string_view data) {
  log_received(server_.host_.log(), peer_, data);
  while (!data.empty() && !streaming_ && !closing_) {
    const HttpRequestParser::Progress progress = parser_->feed(data);
    data.remove_prefix(progress.consumed);
    if (progress.state == HttpRequestParser::State::more) return;
    if (progress.state == HttpRequestParser::State::failed) {
      ++server_.counters_.bad_requests;
      return refuse(parser_->status(), parser_->reason());
    }
    ++server_.counters_.requests;
    answer(parser_->request());
  }
}

void EventClient::answer(const HttpRequest& request) {
  if (refusing_) return refuse(503, "there are too many clients (--max-clients)");
  Log& log = server_.host_.log();
  if (log.enabled(LogLevel::info)) {
    log.info(peer_.to_string() + ": " + std::string(request.method) + " " +
             std::string(request.path));
  }
  std::string out;
  const After after = server_.responder_.answer(out, request, server_.host_.clock().wall());
  if (after == After::stream) return begin_stream(request, out);
  send(out);
  if (closing_) return;  // the write may have failed
  if (after == After::close) {
    closing_ = true;
    stream_->close();
  } else {
    wait_for_request();
  }
}

void EventClient::begin_stream(const HttpRequest& request, std::string& out) {
  server_.send_batch();  // to the others; to this one it comes from the ring
  const ReplayRing::Replay replay = server_.ring_.after(last_event_id_of(request));
  timer_.reset();
  streaming_ = true;
  ++server_.streaming_;
  ++server_.counters_.streams;
  next_ = replay.from;
  out += server_.opening_;
  send(out);
  if (replay.lost_from != 0) report_loss(replay.lost_from, replay.lost_to);
  catch_up();
}

void EventClient::refuse(int status, std::string_view reason) {
  Log& log = server_.host_.log();
  if (log.enabled(LogLevel::info)) {
    log.info(peer_.to_string() + ": answered " + std::to_string(status) + ": " +
             std::string(reason));
  }
  std::string out;
  Responder::refuse(out, status, reason, server_.host_.clock().wall());
  send(out);
  closing_ = true;
  stream_->close();
}

// Also for the TLS handshake, and between requests.
void EventClient::wait_for_request() {
  timer_ = server_.host_.loop().after(server_.options_.request_timeout, [this] {
    if (!parser_->idle()) {
      ++server_.counters_.request_timeouts;
      server_.refused(peer_, "its request took longer than " +
                                 format_duration(server_.options_.request_timeout) +
                                 " (--request-timeout)");
    }
    stream_->abort();
    server_.remove(*this);
  });
}

void EventClient::push(const SharedPayload& payload, std::uint64_t from, std::uint64_t to) {
  if (lagging_ || closing_ || next_ != from) return;
  next_ = to;
  server_.counters_.delivered += to - from;
  send(payload);
}

void EventClient::push_comment(const SharedPayload& payload) {
  if (!lagging_ && !closing_) send(payload);
}

// Whoever is behind gets no push(), so what has come has to be in the ring, and nothing of it in a
// batch that is still to be sent.
void EventClient::catch_up() {
  if (closing_) return;
  server_.send_batch();
  const ReplayRing& ring = server_.ring_;
  if (next_ < ring.oldest()) {
    report_loss(next_, ring.oldest() - 1);
    next_ = ring.oldest();
  }
  if (!lagging_ && next_ < ring.next_id()) {
    const ReplayRing::Piece piece =
        ring.piece(next_, std::min(kReplayPerTurn, server_.options_.max_queue));
    server_.counters_.delivered += piece.to - next_;
    server_.counters_.replayed += piece.to - next_;
    next_ = piece.to;
    send(piece.bytes);
  }
  if (lagging_) return;
  if (next_ < ring.next_id()) {
    timer_ = server_.host_.loop().after(Duration::zero(), [this] { catch_up(); });
  } else if (finishing_) {
    close();
  }
}

void EventClient::report_loss(std::uint64_t from, std::uint64_t to) {
  const std::uint64_t count = to - from + 1;
  const std::string numbers = count == 1
                                  ? "event " + std::to_string(from)
                                  : std::to_string(count) + " events (" + std::to_string(from) +
                                        " to " + std::to_string(to) + ")";
  server_.counters_.lost += count;
  server_.refused(peer_, numbers + (count == 1 ? " is" : " are") + " not kept any more (" +
                             std::string(server_.ring_.limit()) + ")");
  std::string comment;
  append_comment(comment, "lost: " + numbers);
  send(comment);
}

void EventClient::on_high_water(ByteStream&) {
  if (!lagging_) ++server_.counters_.slow;
  lagging_ = true;
}

void EventClient::on_low_water(ByteStream&) {
  lagging_ = false;
  catch_up();
}

void EventClient::on_closed(ByteStream&, int, std::string_view reason) {
  closing_ = true;
  const std::string_view what =
      reason.empty() && streaming_ && !server_.stopping_ ? "gone" : reason;
  if (!what.empty()) server_.host_.log().info(peer_.to_string() + ": " + std::string(what));
  server_.remove(*this);
}

}  // namespace netkit::sse
