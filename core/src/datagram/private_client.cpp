#include "datagram/private_peer.hpp"
#include "tls/key_refusals.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include <netkit/datagram/private_client.hpp>

namespace netkit::datagram {
namespace {

// A refusal is not authenticated: the server's acceptance may still be on its way.
constexpr Duration kAfterRefusal = std::chrono::seconds(2);
constexpr Duration kBetweenHandshakes = std::chrono::seconds(1);
constexpr Duration kBetweenRestarts = std::chrono::milliseconds(150);

}  // namespace

struct PrivateClient::Impl {
  Impl(PskIdentity own, const Options& given, Driver::Handler& to, PrivateClient::Handler& owner)
      : identity(std::move(own)),
        options(given),
        inner(to),
        handler(owner),
        context(DtlsContext::make()) {}

  void shake_hands(TimePoint now);
  void feed(std::string_view datagram, TimePoint now);
  void become_secure(TimePoint now);
  void on_alert(std::uint8_t alert, bool is_of_this, TimePoint now);
  void on_record(const Path& from, const DtlsRecord& record, TimePoint now);
  void fail();
  Loss loss() const;
  TimePoint silent_at() const;

  PskIdentity identity;
  Options options;
  Driver::Handler& inner;
  PrivateClient::Handler& handler;
  std::shared_ptr<DtlsContext> context;
  std::unique_ptr<DtlsHandshake> handshake;  // under way
  std::unique_ptr<DtlsHandshake> resumed;    // until the server is known to have its end
  DtlsHandshake::Datagrams flight;           // to be sent
  FlightTimer flight_timer;
  TimePoint began = TimePoint::min();  // the last handshake
  std::uint64_t first = 0;             // number of its records in clear
  std::uint64_t next_first = 0;        // of the next one
  TimePoint give_up = TimePoint::max();
  std::unique_ptr<DtlsRecords> records;   // null: not secure yet
  std::unique_ptr<DtlsRecords> previous;  // what was sent by them may still come
  std::string cookie;                     // of this handshake; empty: not asked for yet
  TimePoint heard{};                      // something authentic
  std::optional<std::uint8_t> alert;      // the server's, or somebody's
  bool answered = false;                  // by something of DTLS
  bool stranger = false;                  // by something else
  bool failed = false;                    // has been said
  OutputQueue clear;                      // what `inner` says, before it is encrypted
  std::string content;
};

void PrivateClient::Impl::shake_hands(TimePoint now) {
  resumed.reset();
  first = std::exchange(next_first, next_first + kHandshakeNumbers);
  handshake = context->connect(identity, first);
  cookie.clear();
  flight.clear();
  handshake->start(flight);
  alert.reset();
  flight_timer.start(now);
  began = now;
}

TimePoint PrivateClient::Impl::silent_at() const {
  const Duration silence = options.heartbeat == kNever ? kNever : 2 * options.heartbeat;
  return saturating_add(std::max(heard, began), silence);
}

void PrivateClient::Impl::feed(std::string_view datagram, TimePoint now) {
  if (const auto asked = decode_hello_verify(datagram)) {
    // A handshake has one cookie. The server has another for the address that it sees by now.
    if (!cookie.empty()) {
      if (cookie != *asked && now - began >= kBetweenRestarts) shake_hands(now);
      return;
    }
    cookie = *asked;
  }
  DtlsHandshake::Datagrams answer;
  handshake->on_datagram(datagram, answer);
  if (!answer.empty()) {
    flight = std::move(answer);
    flight_timer.start(now);
  }
  if (handshake->state() == DtlsHandshake::State::done) return become_secure(now);
  // Whatever it failed at, it may have been forged: the timer begins anew.
}

void PrivateClient::Impl::become_secure(TimePoint now) {
  const DtlsSecrets& secrets = handshake->secrets();
  previous = std::exchange(records, std::make_unique<DtlsRecords>(secrets.client, secrets.server));
  if (handshake->resumed()) resumed = std::move(handshake);
  handshake.reset();
  flight_timer.stop();
  give_up = TimePoint::max();
  heard = now;
  alert.reset();
  if (previous) return;
  clear.clear();
  inner.drain(clear, now);  // what it has said to nobody
  inner.on_next_address(now);
}

void PrivateClient::Impl::on_alert(std::uint8_t code, bool is_of_this, TimePoint now) {
  if (records) {
    // The server does not know these records: it was started anew, or sees another address.
    if (!handshake && now - began >= kBetweenHandshakes) shake_hands(now);
    if (!handshake || heard > began) return;
  }
  if (code == static_cast<std::uint8_t>(Alert::bad_record_mac)) {
    // It knows nothing of this handshake: it sees another address since it began.
    if (!alert && now - began >= kBetweenRestarts) shake_hands(now);
    return;
  }
  if (!is_of_this) return;
  alert = code;
  give_up = std::min(give_up, now + kAfterRefusal);
}

void PrivateClient::Impl::on_record(const Path& from, const DtlsRecord& record, TimePoint now) {
  const bool is_new = records && records->open(record, content);
  if (!is_new && !(previous && previous->open(record, content))) return;
  if (is_new) resumed.reset();
  heard = now;
  if (record.type == RecordType::application_data) inner.on_datagram(from, content, now);
}

Loss PrivateClient::Impl::loss() const {
  Loss loss{.why = {}, .again = false, .status = ExitStatus::permission};
  if (alert == static_cast<std::uint8_t>(Alert::unknown_psk_identity)) {
    loss.why = key_refusal::unknown_to_server(identity.name);
  } else if (alert == static_cast<std::uint8_t>(Alert::decrypt_error)) {
    loss.why = key_refusal::other_key_at_server(identity.name);
  } else if (alert == static_cast<std::uint8_t>(Alert::handshake_failure)) {
    loss.why = key_refusal::kServerHasNoKeys;
  } else if (alert) {
    loss.why = fmt::format("refused the handshake (alert {})", *alert);
  } else if (answered) {
    loss.why = fmt::format(
        "the handshake does not finish: does the server have the same key of '{}'?", identity.name);
  } else if (stranger) {
    loss = datagram::stranger("a server with keys");
  } else {
    loss = {.why = "no answer"};
  }
  return loss;
}

void PrivateClient::Impl::fail() {
  handshake.reset();
  flight.clear();
  flight_timer.stop();
  give_up = TimePoint::max();
  // A client that was accepted before, and is now refused for a reason, will not be accepted again.
  if ((records && !alert) || std::exchange(failed, true)) return;
  handler.on_not_secured(loss());
}

PrivateClient::PrivateClient(PskIdentity identity, const Options& options, Driver::Handler& inner,
                             Handler& handler)
    : impl_(std::make_unique<Impl>(std::move(identity), options, inner, handler)) {}

PrivateClient::~PrivateClient() = default;

void PrivateClient::begin(TimePoint now) {
  Impl& impl = *impl_;
  impl.records.reset();
  impl.previous.reset();
  impl.alert.reset();
  impl.answered = impl.stranger = impl.failed = false;
  impl.heard = now;
  impl.next_first = 0;
  impl.give_up = saturating_add(now, impl.options.handshake_timeout);
  impl.shake_hands(now);
}

void PrivateClient::on_datagram(const Path& from, std::string_view datagram, TimePoint now) {
  Impl& impl = *impl_;
  std::string_view rest = datagram;
  auto record = take_record(rest);
  if (!record) {
    if (!impl.records && !impl.answered && !std::exchange(impl.stranger, true)) {
      impl.give_up = std::min(impl.give_up, now + kAfterRefusal);
    }
    return;
  }
  if (!impl.records && std::exchange(impl.stranger, false) && !impl.alert) {
    impl.give_up = saturating_add(impl.began, impl.options.handshake_timeout);
  }
  impl.answered = impl.answered || !decode_alert(*record);
  const bool is_of_this = is_of_handshake(*record, impl.first);
  if (record->type == RecordType::handshake || record->type == RecordType::change_cipher_spec) {
    if (!is_of_this) return;
    if (impl.handshake) {
      impl.feed(datagram, now);
    } else if (impl.resumed) {
      impl.flight.clear();
      impl.resumed->on_datagram(datagram, impl.flight);
    }
    return;
  }
  for (; record; record = take_record(rest)) {
    if (const auto alert = decode_alert(*record)) {
      impl.on_alert(*alert, is_of_this, now);
    } else if (record->epoch == 1) {
      impl.on_record(from, *record, now);
    }
  }
}

void PrivateClient::tick(TimePoint now) {
  Impl& impl = *impl_;
  if (impl.handshake && impl.give_up <= now) impl.fail();
  if (impl.handshake && impl.flight_timer.due() <= now) {
    DtlsHandshake::Datagrams again;
    if (impl.handshake->state() == DtlsHandshake::State::going) {
      impl.handshake->on_timer(again);
      impl.flight = std::move(again);
      impl.flight_timer.again(now);
    } else {
      impl.shake_hands(now);
    }
  }
  if (!impl.records) return;
  if (!impl.handshake && impl.silent_at() <= now) impl.shake_hands(now);
  if (impl.inner.next_deadline() <= now) impl.inner.tick(now);
}

TimePoint PrivateClient::next_deadline() const {
  const Impl& impl = *impl_;
  TimePoint next = TimePoint::max();
  if (impl.handshake) next = std::min(impl.flight_timer.due(), impl.give_up);
  if (impl.records) {
    next = std::min(next, impl.inner.next_deadline());
    if (!impl.handshake) next = std::min(next, impl.silent_at());
  }
  return next;
}

bool PrivateClient::drain(OutputQueue& queue, TimePoint now) {
  Impl& impl = *impl_;
  for (const std::string& datagram : std::exchange(impl.flight, {})) queue.add({}, datagram);
  if (!impl.records) return false;
  impl.clear.clear();
  const bool more = impl.inner.drain(impl.clear, now);
  for (const OutputQueue::Item& item : impl.clear.items()) {
    if (impl.records->exhausted()) break;
    char* const at = queue.add_room(*item.to, item.size() + DtlsRecords::kOverhead);
    queue.set_ect(item.ect);
    impl.records->seal(RecordType::application_data, item.head, item.body, at);
  }
  return more;
}

void PrivateClient::on_refused(const Endpoint& to, int error) {
  impl_->inner.on_refused(to, error);
}

void PrivateClient::on_next_address(TimePoint now) {
  begin(now);
}

}  // namespace netkit::datagram
