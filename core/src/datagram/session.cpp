#include "datagram/session.hpp"

#include <algorithm>

namespace netkit::datagram {
Session::Session(const Options& options, Counters& counters, const Start& start, TimePoint now)
    : options_(&options),
      counters_(&counters),
      id_(start.id),
      send_(options, counters, start.send_seq, start.local ? nullptr : &start.path),
      receive_(options, counters, start.receive_seq),
      lease_(start.lease),
      heartbeat_(start.heartbeat),
      last_heard_(now),
      last_sent_(now) {
  send_.open_window(start.peer_window);
}

void Session::on_datagram(const Header& header, std::string_view body, std::uint8_t ecn,
                          TimePoint now, MessageHandler& handler) {
  const bool marks = (header.flags & Header::kEcn) != 0;
  const bool is_ack = header.type == Type::ack;
  std::optional<EcnCounts> counts;
  if (is_ack && marks) counts = take_ecn_counts(body);
  if (is_ack && marks && !counts) {
    ++counters_->malformed;
    return;
  }
  last_heard_ = now;
  pings_ = 0;
  if (header.flags & Header::kPing) receive_.ask_ack();
  const Duration delay = header.ack_delay * Duration(std::chrono::microseconds(100));
  send_.on_ack(header.ack, header.window, is_ack ? body : std::string_view(), delay, now);
  if (is_ack) return send_.on_ecn_counts(counts);
  if (marks) receive_.on_marked(ecn);
  receive_.accept(header.seq, body, now, handler);
}

void Session::on_timer(TimePoint now) {
  send_.on_timer(now);
  if (send_.take_probe()) ping_wanted_ = true;
  if (now >= heartbeat_due()) ping_wanted_ = true;
  if (send_.idle() && now - last_sent_ >= std::chrono::seconds(1)) {
    send_.release_memory();
    receive_.release_memory();
  }
}

// No lease ends while received data waits: the other side may have sent all that it had.
TimePoint Session::lease_end() const {
  if (receive_.holding()) return TimePoint::max();
  const TimePoint end = saturating_add(last_heard_, lease_);
  if (!finishing_) return end;
  return std::min(end, saturating_add(std::max(last_heard_, finish_at_), options_->linger));
}

// After a question without an answer the next comes sooner: one lost datagram must not look like a
// lost peer.
TimePoint Session::heartbeat_due() const {
  if (heartbeat_ == kNever || ping_wanted_) return TimePoint::max();
  const TimePoint due = saturating_add(std::min(last_heard_, last_sent_), heartbeat_);
  if (pings_ == 0) return due;
  const Duration pause = back_off(2 * send_.rtt().timeout(*options_), pings_ - 1u,
                                  std::min<Duration>(heartbeat_, options_->handshake_pause));
  return last_ping_ + pause;
}

TimePoint Session::deadline() const {
  if (ping_wanted_) return TimePoint::min();
  return std::min({send_.deadline(), receive_.ack_deadline(), heartbeat_due(), lease_end()});
}

bool Session::wants_drain(TimePoint now) const {
  return ping_wanted_ || send_.has_next(now) || receive_.ack_due(now);
}

bool Session::drain(const Path& to, OutputQueue& queue, TimePoint now, std::size_t limit) {
  Header head = header(Type::data, now);
  char bytes[kHeaderSize];
  SendSide::Emission emission;
  bool acked = false;
  unsigned together = 0;
  while (queue.size() < limit && send_.next(emission, now)) {
    head.seq = emission.seq;
    // So many at once are worth an acknowledgement of their own, and the last of them waits for no
    // others: the sooner it is answered, the less there is to probe for.
    const bool enough = ++together * 2 >= options_->ack_every;
    const bool urgent = emission.urgent || (enough && !send_.has_next(now));
    head.flags = urgent ? Header::kPing : std::uint8_t{0};
    if (emission.ect) head.flags |= Header::kEcn;
    encode_header(head, bytes);
    const std::size_t size = kHeaderSize + emission.chunk->body.size();
    queue.add_along(to, {bytes, sizeof bytes}, std::move(emission.chunk));
    queue.set_ect(emission.ect);
    ++counters_->datagrams_out;
    counters_->bytes_out += size;
    acked = true;
  }
  // A header has no room to say what is missing or was marked.
  if (acked) {
    last_sent_ = now;
    if (!receive_.needs_ack()) receive_.acked();
  }
  if (queue.size() >= limit && wants_drain(now)) return true;
  if (ping_wanted_ || receive_.ack_due(now)) send_ack(to, queue, now);
  return false;
}

void Session::send_ack(const Path& to, OutputQueue& queue, TimePoint now) {
  Header head = header(Type::ack, now);
  if (ping_wanted_) {
    head.flags |= Header::kPing;
    last_ping_ = now;
    if (pings_ < 0xff) ++pings_;
    ping_wanted_ = false;
  }
  std::string bitmap;
  receive_.bitmap(bitmap);
  if (receive_.ecn().heard()) head.flags |= Header::kEcn;
  std::string bytes(kHeaderSize, '\0');
  encode_header(head, bytes.data());
  if (receive_.ecn().heard()) append_ecn_counts(receive_.ecn().counts(), bytes);
  bytes += bitmap;
  queue.add_along(to, bytes);
  ++counters_->datagrams_out;
  counters_->bytes_out += bytes.size();
  last_sent_ = now;
  receive_.told_ecn();
  receive_.acked();
}

Header Session::header(Type type, TimePoint now) const {
  Header head;
  head.type = type;
  head.session = id_;
  head.seq = send_.next_seq();
  head.ack = receive_.ack();
  head.window = receive_.window();
  head.ack_delay = receive_.ack_delay(now);
  return head;
}

void Session::finish(std::uint8_t code, std::string_view text, TimePoint now) {
  if (finishing_) return;
  finishing_ = true;
  finish_at_ = now;
  send_.enqueue(make_end(code, text));
}

SessionStatus Session::status() const {
  SessionStatus status;
  status.delivered = send_.delivered();
  status.dropped = send_.dropped();
  status.queued = send_.waiting_messages();
  status.lag = send_.unacknowledged();
  status.blocked = send_.blocked();
  status.path.rtt = send_.rtt().smoothed();
  status.path.window = send_.window();
  if (send_.congestion() != nullptr) status.path.rate = send_.congestion()->rate();
  status.path.retransmitted = send_.retransmitted();
  return status;
}

}  // namespace netkit::datagram
