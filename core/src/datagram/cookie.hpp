// Stateless proof that a client receives at the address it sends from.
#pragma once

#include "datagram/wire.hpp"

#include <cstdint>
#include <memory>

#include <netkit/datagram/options.hpp>
#include <netkit/net/endpoint.hpp>

namespace netkit::datagram {

// A cookie is the number of the time slot it was made in (4 bytes) and the first 16 bytes of
// HMAC-SHA-256 (RFC 2104) under that slot's secret over slot, nonce, family, port, address and
// zone. Secrets are random, one per slot of Options::cookie_lifetime, and the last two are known;
// they change when the jar is asked, so an idle server needs no timer.
class NETKIT_API CookieJar {
 public:
  CookieJar(Duration lifetime, Random random);
  ~CookieJar();
  Cookie make(const Endpoint& peer, std::uint64_t nonce, TimePoint now);
  bool verify(const Cookie& cookie, const Endpoint& peer, std::uint64_t nonce, TimePoint now);

 private:
  struct Mac;
  void turn(TimePoint now);
  Cookie compute(Mac& mac, std::uint32_t slot, const Endpoint& peer, std::uint64_t nonce) const;

  Duration lifetime_;
  Random random_;
  std::int64_t slot_ = -1;  // of current_
  std::unique_ptr<Mac> current_;
  std::unique_ptr<Mac> previous_;  // null: none
};

}  // namespace netkit::datagram
