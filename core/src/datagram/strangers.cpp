#include "datagram/strangers.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <netkit/util/big_endian.hpp>
#include <netkit/util/error.hpp>

namespace netkit::datagram {

namespace {

using big_endian::get;
using big_endian::put;

}  // namespace

// One key, set up once: a cookie then costs one re-initialised context.
struct CookieJar::Mac {
  explicit Mac(const Random& random) {
    std::array<unsigned char, 32> key;
    for (std::size_t i = 0; i < key.size(); i += 8) {
      const std::uint64_t number = random();
      std::memcpy(key.data() + i, &number, sizeof number);
    }
    EVP_MAC* algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    if (algorithm == nullptr) throw std::bad_alloc();  // it is built in
    context = EVP_MAC_CTX_new(algorithm);
    EVP_MAC_free(algorithm);
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    if (!context) throw std::bad_alloc();
    if (EVP_MAC_init(context, key.data(), key.size(), parameters) != 1) {
      EVP_MAC_CTX_free(context);
      throw Error(ExitStatus::fault, "OpenSSL has no HMAC-SHA-256");
    }
    OPENSSL_cleanse(key.data(), key.size());
  }
  ~Mac() { EVP_MAC_CTX_free(context); }
  Mac(const Mac&) = delete;
  Mac& operator=(const Mac&) = delete;

  EVP_MAC_CTX* context = nullptr;
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
  std::array<unsigned char, 32> digest{};
  std::size_t size = 0;
  if (EVP_MAC_init(mac.context, nullptr, 0, nullptr) != 1 ||
      EVP_MAC_update(mac.context, reinterpret_cast<const unsigned char*>(input.data()),
                     input.size()) != 1 ||
      EVP_MAC_final(mac.context, digest.data(), &size, digest.size()) != 1) {
    throw std::bad_alloc();  // there is nothing else that it could lack
  }
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
