#include "datagram/moving.hpp"
#include "datagram/session.hpp"
#include "datagram/strangers.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include <netkit/datagram/client.hpp>

namespace netkit::datagram {
namespace {

enum class State : std::uint8_t {
  idle,
  hello,
  connecting,
  open,
  ended,  // by the server's END, until it is known to have our acknowledgement
  over,
};

constexpr std::size_t kStrayRate = 10;  // answers a second to what is not of this session
// A server that is being restarted refuses a while: so many in a row it may, of a session.
constexpr unsigned kRefusals = 3;
constexpr unsigned kMostFarewells = 8;  // acknowledgements of END without an answer
constexpr Duration kShortestHeartbeat = std::chrono::milliseconds(10);  // whatever lease it says
constexpr Duration kLongestFarewell = std::chrono::seconds(1);
// What answers, but not in this protocol, may have the right answer on its way.
constexpr Duration kStrangerPatience = std::chrono::seconds(2);

LeftReason reason_of(const Bye& bye) {
  switch (static_cast<ByeCode>(bye.code)) {
    case ByeCode::evicted:
      return LeftReason::evicted;
    case ByeCode::forbidden:
      return LeftReason::forbidden;
    default:
      return LeftReason::bye;
  }
}

}  // namespace

struct Client::Impl final : public MessageHandler {
  Impl(const Options& given, const Endpoint& to, Random source, Handler& owner)
      : options(given),
        server(to),
        random(std::move(source)),
        handler(owner),
        packer(packing()),
        strays(kStrayRate) {}

  Packer::Options packing() const { return {options.max_body(), options.max_message, 0}; }
  bool handshaking() const { return state == State::hello || state == State::connecting; }
  void on_malformed() {
    ++counters.malformed;
    stranger = stranger || state == State::hello;
  }
  TimePoint give_up() const {
    return stranger ? std::min(give_up_at, began + kStrangerPatience) : give_up_at;
  }

  void on_message(std::uint64_t record, std::string_view message) override {
    handler.on_message(record, message);
  }
  void on_gap(const Gap& gap) override { handler.on_gap(gap); }
  void on_end(const Bye& end) override { end_text = end.text; }

  void begin(std::string_view given, TimePoint now);
  void ask(TimePoint now);
  void on_handshake(std::string_view datagram, TimePoint now);
  void on_accept(std::string_view datagram, TimePoint now);
  void on_reject(std::string_view datagram);
  void on_session(std::string_view datagram, std::uint8_t ecn, TimePoint now);
  void on_stray(const Header& header, TimePoint now);
  void settle(TimePoint now);
  void say_farewell(TimePoint now);
  void on_farewell_answer(const Header& header, TimePoint now);
  void left(LeftReason reason, std::string_view text);
  void fill_session(TimePoint now);
  void on_challenge(std::string_view datagram, TimePoint now);
  void put(const Header& header, std::string_view body = {});

  Options options;
  Counters counters;
  Path server;
  Random random;
  Handler& handler;
  State state = State::idle;
  std::unique_ptr<Session> session;
  std::unique_ptr<Session> gone;  // until no event of it can be running
  Packer packer;
  RateLimit strays;
  OutputQueue replies;
  std::string scratch;
  std::string payload;
  std::string end_text;
  std::optional<std::string> finish_text;
  std::uint64_t nonce = 0;
  std::uint32_t first_seq = 0;
  SessionKey key{};
  std::uint32_t moves = 0;
  Cookie cookie{};
  TimePoint asked_at{};
  TimePoint began{};  // of the handshake
  TimePoint give_up_at = TimePoint::max();
  bool local = false;     // the server is on this machine
  unsigned asked = 0;     // HELLOs, CONNECTs or acknowledgements of END in a row
  bool stranger = false;  // to HELLO came what is no answer
  unsigned refusals = 0;  // since the server was heard last
};

void Client::Impl::begin(std::string_view given, TimePoint now) {
  gone = std::move(session);
  if (gone) gone->receiving().stop();
  payload = given.substr(0, kMaxPayload);
  packer = Packer(packing());
  finish_text.reset();
  nonce = random();
  first_seq = static_cast<std::uint32_t>(random());
  state = State::hello;
  began = now;
  stranger = false;
  refusals = 0;
  give_up_at = saturating_add(now, options.connect_timeout);
  asked = 0;
  ask(now);
}

void Client::Impl::ask(TimePoint now) {
  if (state == State::hello) {
    encode(Hello{nonce}, scratch);
  } else {
    encode(Connect{nonce, cookie, first_seq, options.receive_window, payload}, scratch);
  }
  replies.add(server, scratch);
  ++counters.datagrams_out;
  counters.bytes_out += scratch.size();
  asked_at = now;
  ++asked;
}

void Client::Impl::on_handshake(std::string_view datagram, TimePoint now) {
  const bool ours = key_of(datagram) == nonce;
  const Type type = type_of(datagram);
  if (type == Type::accept) return on_accept(datagram, now);
  if (!ours || !handshaking()) return;
  if (type == Type::reject) return on_reject(datagram);
  if (type == Type::version) {
    const auto version = decode_version(datagram);
    return left(LeftReason::version, "the server speaks versions " +
                                         std::to_string(version->lowest) + " to " +
                                         std::to_string(version->highest));
  }
  const auto reply = decode_cookie(datagram);
  // A second copy of the same one is no reason to ask again.
  if (!reply || (state == State::connecting && reply->cookie == cookie)) return;
  cookie = reply->cookie;
  state = State::connecting;
  stranger = false;
  asked = 0;
  ask(now);
}

void Client::Impl::on_accept(std::string_view datagram, TimePoint now) {
  const auto accept = decode_accept(datagram);
  if (!accept || accept->nonce != nonce || accept->lease_ms == 0) {
    counters.malformed += !accept;
    return;
  }
  if (state == State::open && session->id() == accept->session) {
    session->receiving().ask_ack();  // it has not heard from us yet
    return;
  }
  if (state != State::connecting) return;
  Session::Start start;
  start.id = accept->session;
  start.send_seq = first_seq;
  start.receive_seq = accept->first_seq;
  start.peer_window = accept->window;
  start.local = local;
  start.lease =
      accept->lease_ms == 0xffffffff ? kNever : std::chrono::milliseconds(accept->lease_ms);
  start.heartbeat =
      std::max<Duration>(std::min(options.heartbeat, start.lease / 3), kShortestHeartbeat);
  session = std::make_unique<Session>(options, counters, start, now);
  if (asked == 1) session->sending().add_rtt_sample(now - asked_at, now);
  // The server sends nothing before it has heard this, so it is repeated until there is an answer.
  session->ask_for_life();
  key = accept->key;
  moves = 0;
  state = State::open;
  ++counters.accepted;
  handler.on_connected(accept->payload);
}

void Client::Impl::on_reject(std::string_view datagram) {
  const auto reject = decode_reject(datagram);
  if (!reject) {
    ++counters.malformed;
    return;
  }
  state = State::idle;
  ++counters.rejected;
  handler.on_rejected(reject->code, reject->text);
}

void Client::Impl::on_session(std::string_view datagram, std::uint8_t ecn, TimePoint now) {
  const auto header = decode_header(datagram);
  if (!header) {
    ++counters.malformed;
    return;
  }
  const bool ours = session && session->id() == header->session;
  if (ours && state == State::ended) return on_farewell_answer(*header, now);
  if (!ours || state != State::open) return on_stray(*header, now);
  const std::string_view body = datagram.substr(kHeaderSize);
  if (header->type == Type::bye) {
    const auto bye = decode_bye(body);
    counters.malformed += !bye;
    if (bye) left(reason_of(*bye), std::string(bye->text));
    return;
  }
  session->on_datagram(*header, body, ecn, now, *this);
  if (state == State::open) settle(now);
}

void Client::Impl::settle(TimePoint now) {
  if (session->receiving().ended()) {
    state = State::ended;
    asked = 0;
    give_up_at = now + kLongestFarewell;
    say_farewell(now);
  } else if (session->finished()) {
    left(LeftReason::finished, {});
  }
}

// The server waits for this one, so it is repeated until there is an answer. When none comes the
// server has gone: it has this session behind it, or does not wait for it any more.
void Client::Impl::say_farewell(TimePoint now) {
  Header ack = session->header(Type::ack, now);
  ack.flags |= Header::kPing;
  put(ack);
  asked_at = now;
  ++asked;
}

// END once more is the same question once more.
void Client::Impl::on_farewell_answer(const Header& header, TimePoint now) {
  if (header.type == Type::data) {
    if (strays.allow(now)) put(session->header(Type::ack, now));
    return;
  }
  left(LeftReason::ended, end_text);
}

// Of this session, which is over, or of one before it: as after a restart of this program.
void Client::Impl::on_stray(const Header& header, TimePoint now) {
  ++counters.unknown_session;
  const bool asks = header.type == Type::data || (header.flags & Header::kPing) != 0;
  if (header.type == Type::bye || !asks || handshaking() || !strays.allow(now)) return;
  if (session && session->id() == header.session) {
    if (session->receiving().ended()) return put(session->header(Type::ack, now));
    return put(session->header(Type::bye, now), std::string_view("\0", 1));
  }
  encode(Reset{header.session}, scratch);
  replies.add(server, scratch);
}

// The server has heard of this session from an address that is not where it thinks this client is:
// it has another one by now, or somebody else has sent that.
void Client::Impl::on_challenge(std::string_view datagram, TimePoint now) {
  const auto challenge = decode_challenge(datagram);
  const bool ours = challenge && session && session->id() == challenge->session;
  if (!ours || (state != State::open && state != State::ended) || !strays.allow(now)) return;
  Move move{challenge->session, challenge->token, ++moves, {}};
  move.proof = prove_move(key, move.session, move.token, move.count);
  encode(move, scratch);
  replies.add(server, scratch);
  ++counters.datagrams_out;
  counters.bytes_out += scratch.size();
}

void Client::Impl::put(const Header& header, std::string_view body) {
  scratch.assign(kHeaderSize, '\0');
  encode_header(header, scratch.data());
  scratch += body;
  replies.add(server, scratch);
  ++counters.datagrams_out;
  counters.bytes_out += scratch.size();
}

void Client::Impl::left(LeftReason reason, std::string_view text) {
  state = session ? State::over : State::idle;
  if (session) session->receiving().stop();
  handler.on_left(reason, text);
}

void Client::Impl::fill_session(TimePoint now) {
  if (!packer.empty() && !session->finishing()) {
    for (const ChunkRef& chunk : packer.flush()) session->sending().enqueue(chunk);
  }
  if (finish_text) session->finish(0, *finish_text, now);
}

Client::Client(const Options& options, const Endpoint& server, Random random, Handler& handler) {
  Options own = options.within_limits();
  own.overflow = Overflow::keep_all;  // can_send() is the bound
  impl_ = std::make_unique<Impl>(own, server, std::move(random), handler);
}

Client::~Client() = default;

void Client::connect(std::string_view payload, TimePoint now) {
  impl_->begin(payload, now);
}

void Client::expect_record(std::uint64_t record) {
  if (impl_->session) impl_->session->receiving().expect(record);
}

void Client::on_datagram(std::string_view datagram, TimePoint now, const Path& from) {
  Impl& impl = *impl_;
  impl.gone.reset();
  impl.refusals = 0;
  impl.local = from.peer.address().is_loopback();
  const Class what = classify(datagram);
  ++impl.counters.datagrams_in;
  impl.counters.bytes_in += datagram.size();
  if (what == Class::other_version) {
    ++impl.counters.bad_version;
    return;
  }
  if (what != Class::known) return impl.on_malformed();
  switch (type_of(datagram)) {
    case Type::cookie:
    case Type::accept:
    case Type::reject:
    case Type::version:
      return impl.on_handshake(datagram, now);
    case Type::data:
    case Type::ack:
    case Type::bye:
      return impl.on_session(datagram, from.ecn, now);
    case Type::challenge:
      return impl.on_challenge(datagram, now);
    case Type::reset:
      if (!impl.session || impl.session->id() != key_of(datagram)) return;
      if (impl.state == State::open) impl.left(LeftReason::reset, {});
      if (impl.state == State::ended) impl.left(LeftReason::ended, impl.end_text);
      return;
    default:  // a client's
      impl.on_malformed();
  }
}

void Client::tick(TimePoint now) {
  Impl& impl = *impl_;
  impl.gone.reset();
  if (impl.handshaking()) {
    if (now >= impl.give_up()) {
      return impl.left(impl.stranger ? LeftReason::stranger : LeftReason::timeout, {});
    }
    if (now >= next_deadline()) impl.ask(now);
  } else if (impl.state == State::ended) {
    if (now < next_deadline()) return;
    if (now < impl.give_up_at && impl.asked < kMostFarewells) return impl.say_farewell(now);
    impl.left(LeftReason::ended, impl.end_text);
  } else if (impl.state == State::open) {
    impl.session->on_timer(now);
    if (impl.session->expired(now)) {
      ++impl.counters.expired;
      impl.left(LeftReason::lease, {});
    }
  }
}

TimePoint Client::next_deadline() const {
  const Impl& impl = *impl_;
  if (impl.handshaking()) {
    const Duration pause =
        back_off(impl.options.initial_rto, impl.asked - 1u, impl.options.handshake_pause);
    return std::min(impl.asked_at + pause, impl.give_up());
  }
  if (impl.state == State::ended) {
    const Duration pause = impl.session->sending().rtt().timeout(impl.options);
    return std::min(impl.asked_at + pause, impl.give_up_at);
  }
  return impl.state == State::open ? impl.session->deadline() : TimePoint::max();
}

bool Client::drain(OutputQueue& queue, TimePoint now, std::size_t limit) {
  Impl& impl = *impl_;
  impl.gone.reset();
  for (const auto& item : impl.replies.items()) queue.add(*item.to, item.head);
  impl.replies.clear();
  if (impl.state != State::open) return false;
  impl.fill_session(now);
  return impl.session->drain(impl.server, queue, now, limit);
}

bool Client::send(std::string_view message) {
  return can_send() && impl_->packer.append(message);
}

bool Client::can_send() const {
  const Impl& impl = *impl_;
  if (impl.finish_text || !(impl.handshaking() || impl.state == State::open)) return false;
  const std::size_t waiting = impl.packer.pending_messages() +
                              (impl.session ? impl.session->sending().waiting_messages() : 0);
  return waiting < impl.options.keep && impl.packer.pending_bytes() < impl.options.keep_bytes &&
         !(impl.session && impl.session->sending().full());
}

std::size_t Client::unacknowledged() const {
  return impl_->packer.pending_messages() +
         (impl_->session ? impl_->session->sending().unacknowledged() : 0);
}

void Client::pause() {
  if (impl_->session) impl_->session->receiving().pause();
}

void Client::resume(TimePoint now) {
  if (!paused()) return;
  impl_->session->resume(*impl_);
  if (impl_->state == State::open) impl_->settle(now);
}

bool Client::paused() const {
  return impl_->session && impl_->session->receiving().paused();
}

void Client::finish(std::string_view text, TimePoint now) {
  (void)now;
  if (idle() || impl_->finish_text) return;
  impl_->finish_text.emplace(text);
}

void Client::leave(std::string_view text, TimePoint now) {
  Impl& impl = *impl_;
  if (impl.state == State::open) {
    std::string body(1, '\0');
    body += text.substr(0, kMaxReason);
    impl.put(impl.session->header(Type::bye, now), body);
    impl.session->receiving().stop();
  }
  impl.state = impl.session ? State::over : State::idle;
}

bool Client::on_refused() {
  ++impl_->refusals;
  // Its end may be among what waits.
  if (impl_->state == State::open && impl_->session->receiving().holding()) return true;
  if (impl_->state != State::ended) return false;
  impl_->left(LeftReason::ended, impl_->end_text);
  return true;
}

bool Client::holds_on() const {
  return impl_->state == State::open && impl_->refusals < kRefusals;
}

bool Client::connected() const {
  return impl_->state == State::open || impl_->state == State::ended;
}

bool Client::idle() const {
  return impl_->state == State::idle || impl_->state == State::over;
}

SessionStatus Client::status() const {
  return impl_->session ? impl_->session->status() : SessionStatus{};
}

const Options& Client::options() const {
  return impl_->options;
}

const Counters& Client::counters() const {
  return impl_->counters;
}

}  // namespace netkit::datagram
