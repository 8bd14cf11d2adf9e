#include <frame/client_session.hpp>

#include <fmt/format.h>

#include <netkit/util/error.hpp>

namespace netkit::frame {

namespace {

constexpr auto kHeartbeatByte = static_cast<std::uint8_t>(kHeartbeat);
constexpr auto kRegisterByte = static_cast<std::uint8_t>(kRegister);

std::string encode(const FrameEncoder& encoder, std::string_view content) {
  std::string wire;
  encoder.append(wire, content);
  return wire;
}

}  // namespace

std::string unmatched_text(const ClientEvent& event, std::size_t waiting, bool ids) {
  const std::string others =
      waiting == 0   ? "no request is waiting"
      : waiting == 1 ? "1 request is waiting for another answer"
                     : fmt::format("{} requests are waiting for other answers", waiting);
  const bool repeated = event.kind == ClientEvent::Kind::repeated;
  const std::string answer = ids ? fmt::format("answer {}", id_name(event.id)) : "an answer";
  return fmt::format("{} {}: {}", answer, repeated ? "is late or a duplicate" : "was not requested",
                     others);
}

ClientSession::ClientSession(ClientOptions options)
    : options_(std::move(options)),
      encoder_(options_.codec),
      decoder_(options_.codec, options_.max_frame, options_.bad) {
  if (!options_.codec.message_ids) {
    if (!options_.registration.empty()) {
      throw UsageError(fmt::format("--register needs the codec netkit; {} has no message ids",
                                   options_.codec.to_string()));
    }
    options_.heartbeat = kNever;
    return;
  }
  if (!options_.registration.empty()) {
    if (const FrameError error = encoder_.check({}, options_.registration, options_.max_frame)) {
      throw UsageError(fmt::format("--register: {}", error.text()));
    }
    registration_wire_ = encode(encoder_, options_.registration);
  }
  heartbeat_wire_ = encode(encoder_, std::string_view("\x01", 1));
}

ClientSession::Push ClientSession::push(std::string_view head, std::string_view body) {
  if (!has_room()) return {0, {}, true};
  const FrameError too_long = encoder_.check(head, body, options_.max_frame);
  if (too_long) return {0, too_long, false};
  const bool has_id = options_.codec.message_ids && !head.empty();
  const RequestTable::Slot slot =
      table_.prepare(has_id ? static_cast<std::uint8_t>(head[0]) : std::uint8_t{0});
  const FrameError error = encoder_.append(table_.wire(slot), head, body);
  if (error) {
    table_.discard(slot);
    return {0, error, false};
  }
  table_.commit(slot);
  const std::uint64_t number = table_.entry(slot).number;
  if (state_ == State::ready) flush();
  return {number, {}, false};
}

void ClientSession::queue(std::string_view wire) {
  if (options_.separate) {
    pieces_.emplace_back(wire);
  } else {
    output_ += wire;
  }
}

// Everything that has not been sent on this connection goes out.
void ClientSession::flush() {
  for (RequestTable::Slot slot = table_.next_unsent(); slot != RequestTable::kNone;
       slot = table_.next_unsent()) {
    queue(table_.entry(slot).wire);
    table_.mark_sent(slot);
  }
}

void ClientSession::on_connected(TimePoint now) {
  on_disconnected();
  next_heartbeat_ = saturating_add(now, options_.heartbeat);
  if (!registration_wire_.empty()) {
    state_ = State::registering;
    queue(registration_wire_);
    table_.add_own(kRegisterByte, RequestTable::Kind::registration);
    return;
  }
  state_ = State::ready;
  served_ = true;
  flush();
}

std::size_t ClientSession::on_disconnected() {
  state_ = State::down;
  decoder_ = FrameDecoder(options_.codec, options_.max_frame, options_.bad);
  frame_error_ = {};
  output_.clear();
  pieces_.clear();
  answered_.reset();
  next_heartbeat_ = TimePoint::max();
  missed_ = 0;
  heartbeat_sent_ = false;
  tracked_heartbeats_ = 0;
  untracked_heartbeats_ = 0;
  return table_.clear_sent();
}

bool ClientSession::on_deadline(TimePoint now) {
  if (now < next_heartbeat_) return true;
  if (heartbeat_sent_ && ++missed_ >= options_.misses) return false;
  heartbeat_sent_ = true;
  queue(heartbeat_wire_);
  if (tracked_heartbeats_ < kTrackedHeartbeats) {
    ++tracked_heartbeats_;
    table_.add_own(kHeartbeatByte, RequestTable::Kind::heartbeat);
  } else {
    ++untracked_heartbeats_;
  }
  // In step with the connection, unless the process slept through a beat.
  next_heartbeat_ = saturating_add(next_heartbeat_, options_.heartbeat);
  if (next_heartbeat_ <= now) next_heartbeat_ = saturating_add(now, options_.heartbeat);
  return true;
}

ClientSession::Status ClientSession::take(const FrameView& frame, ClientEvent& event) {
  missed_ = 0;
  heartbeat_sent_ = false;
  event.length = frame.length;
  event.body = frame.content;
  event.check = frame.check;
  if (frame.check == CheckResult::bad) {
    event.kind = ClientEvent::Kind::damaged;
    return Status::ok;
  }
  if (options_.codec.message_ids) {
    const std::optional<Answer> answer = parse_answer(frame.content);
    if (!answer) return Status::short_frame;
    event.id = answer->id;
    event.error = answer->error;
    event.body = answer->body;
  }
  classify(event);
  return event.kind == ClientEvent::Kind::register_refused ? Status::refused : Status::ok;
}

void ClientSession::classify(ClientEvent& event) {
  using Kind = ClientEvent::Kind;
  const auto id = static_cast<std::uint8_t>(event.id);
  const RequestTable::Match match = table_.match(id);
  if (!match.found) {
    const bool own = id == kHeartbeatByte && untracked_heartbeats_ > 0;
    if (own) --untracked_heartbeats_;
    event.kind = own ? Kind::heartbeat : answered_[id] ? Kind::repeated : Kind::unexpected;
    return;
  }
  answered_.set(id);
  event.number = match.number;
  switch (match.kind) {
    case RequestTable::Kind::user:
      event.kind = Kind::answer;
      break;
    case RequestTable::Kind::heartbeat:
      --tracked_heartbeats_;
      event.kind = Kind::heartbeat;
      break;
    case RequestTable::Kind::registration:
      take_registration(event);
      break;
  }
}

void ClientSession::take_registration(ClientEvent& event) {
  if (event.error != kOk) {
    event.kind = ClientEvent::Kind::register_refused;
    return;
  }
  event.kind = ClientEvent::Kind::registered;
  state_ = State::ready;
  served_ = true;
  flush();
}

bool ClientSession::finished() const {
  return input_ended_ && served_ && table_.size() == 0 && !options_.keep_open;
}

}  // namespace netkit::frame
