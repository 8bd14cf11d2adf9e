#include "datagram/private_strangers.hpp"

#include "datagram/wire.hpp"

#include <chrono>
#include <cstring>

#include <netkit/datagram/loss.hpp>
#include <netkit/net/needs_key.hpp>
#include <netkit/util/big_endian.hpp>

namespace netkit::datagram {

PrivateStrangers::PrivateStrangers(OutputQueue& replies, std::size_t most, std::size_t rate,
                                   const Random& random)
    : replies_(replies),
      most_(most),
      cookies_(std::chrono::seconds(10), random),
      strays_(rate),
      plain_answers_({.per_second = 1, .burst = 8, .sources = 1024, .seed = random()}) {}

void PrivateStrangers::answer(const Path& to, std::string_view asked, std::string_view datagram) {
  if (datagram.size() <= asked.size() && replies_.size() < most_) replies_.add(to, datagram);
}

bool PrivateStrangers::is_there(const Path& from, std::string_view datagram,
                                const ClientHello& hello, TimePoint now) {
  const auto nonce = big_endian::get<std::uint64_t>(hello.random.data());
  Cookie cookie{};
  const bool fits = hello.cookie.size() == cookie.size();
  if (fits) std::memcpy(cookie.data(), hello.cookie.data(), cookie.size());
  if (fits && cookies_.verify(cookie, from.peer, nonce, now)) return true;
  cookie = cookies_.make(from.peer, nonce, now);
  encode_hello_verify({cookie.data(), cookie.size()}, hello.record, scratch_);
  answer(from, datagram, scratch_);
  return false;
}

void PrivateStrangers::has_no_keys(const Path& from, std::string_view datagram,
                                   const ClientHello& hello) {
  encode_alert(Alert::handshake_failure, hello.record, scratch_);
  answer(from, datagram, scratch_);
}

void PrivateStrangers::needs_key_for_text(const Path& from, std::string_view datagram,
                                          TimePoint now) {
  // What is answered may be an answer to that: two servers must not go on for ever.
  if (datagram.starts_with(kPlainRefusal.front())) return;
  if (!plain_answers_.allow(from.peer.address(), now)) return;
  answer(from, datagram, kPlainRefusal.substr(0, datagram.size()));
}

void PrivateStrangers::needs_key(const Path& from, std::string_view hello) {
  const Reject reject{key_of(hello), static_cast<std::uint16_t>(RejectCode::forbidden), kNeedsKey};
  encode(reject, scratch_);
  answer(from, hello, scratch_);
}

void PrivateStrangers::is_unknown(const Path& from, std::string_view datagram,
                                  const DtlsRecord& first, TimePoint now) {
  const bool answers = first.type == RecordType::alert && first.epoch == 0;
  if (answers || !strays_.allow(now)) return;
  encode_alert(Alert::bad_record_mac, first.number, scratch_);
  answer(from, datagram, scratch_);
}

}  // namespace netkit::datagram
