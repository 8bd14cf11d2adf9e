#include "datagram/strangers.hpp"

#include "util/hmac_sha256.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <openssl/crypto.h>

#include <netkit/util/big_endian.hpp>

namespace netkit::datagram {

namespace {

using big_endian::get;
using big_endian::put;

}  // namespace

// A key of random bytes.
struct CookieJar::Mac : HmacSha256 {
  explicit Mac(const Random& random) : HmacSha256(Key(random).text()) {}

 private:
  struct Key {
    explicit Key(const Random& random) {
      for (std::uint64_t& number : numbers) number = random();
    }
    ~Key() { OPENSSL_cleanse(numbers.data(), sizeof numbers); }
    std::string_view text() const {
      return {reinterpret_cast<const char*>(numbers.data()), sizeof numbers};
    }
    std::array<std::uint64_t, 4> numbers;
  };
};

CookieJar::CookieJar(Duration lifetime, Random random)
    : lifetime_(std::max<Duration>(lifetime, std::chrono::milliseconds(1))),
      random_(std::move(random)) {}

CookieJar::~CookieJar() = default;

void CookieJar::turn(TimePoint now) {
  const std::int64_t slot = now.time_since_epoch() / lifetime_;
  if (current_ && slot <= slot_) return;
  previous_ = slot == slot_ + 1 ? std::move(current_) : nullptr;
  current_ = std::make_unique<Mac>(random_);
  slot_ = slot;
}

Cookie CookieJar::compute(Mac& mac, std::uint32_t slot, const Endpoint& peer,
                          std::uint64_t nonce) const {
  // slot 4, nonce 8, port 2, family 1, address 4 or 16, zone 4
  std::array<char, 35> input{};
  put(input.data(), slot);
  put(input.data() + 4, nonce);
  if (peer.is_v4()) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(peer.data());
    std::memcpy(input.data() + 12, &v4->sin_port, 2);
    input[14] = 4;
    std::memcpy(input.data() + 15, &v4->sin_addr, 4);
  } else {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(peer.data());
    std::memcpy(input.data() + 12, &v6->sin6_port, 2);
    input[14] = 6;
    std::memcpy(input.data() + 15, &v6->sin6_addr, 16);
    put(input.data() + 31, v6->sin6_scope_id);
  }
  const auto digest = mac.of({{input.data(), input.size()}});
  Cookie cookie;
  put(cookie.data(), slot);
  std::memcpy(cookie.data() + 4, digest.data(), cookie.size() - 4);
  return cookie;
}

Cookie CookieJar::make(const Endpoint& peer, std::uint64_t nonce, TimePoint now) {
  turn(now);
  return compute(*current_, static_cast<std::uint32_t>(slot_), peer, nonce);
}

MoveToken CookieJar::make_token(const Endpoint& peer, std::uint64_t session, TimePoint now) {
  const Cookie cookie = make(peer, session, now);
  MoveToken token;
  std::memcpy(token.data(), cookie.data(), token.size());
  return token;
}

bool CookieJar::verify(const Cookie& cookie, const Endpoint& peer, std::uint64_t nonce,
                       TimePoint now) {
  return verify(std::string_view(cookie.data(), cookie.size()), peer, nonce, now);
}

bool CookieJar::verify(const MoveToken& token, const Endpoint& peer, std::uint64_t session,
                       TimePoint now) {
  return verify(std::string_view(token.data(), token.size()), peer, session, now);
}

bool CookieJar::verify(std::string_view begin, const Endpoint& peer, std::uint64_t nonce,
                       TimePoint now) {
  turn(now);
  const auto slot = get<std::uint32_t>(begin.data());
  Mac* mac = nullptr;
  if (slot == static_cast<std::uint32_t>(slot_)) mac = current_.get();
  if (slot == static_cast<std::uint32_t>(slot_ - 1)) mac = previous_.get();
  if (mac == nullptr) return false;
  const Cookie expected = compute(*mac, slot, peer, nonce);
  return CRYPTO_memcmp(expected.data(), begin.data(), begin.size()) == 0;
}

}  // namespace netkit::datagram
