#include "util/wide.hpp"

#include <arpa/inet.h>
#include <charconv>
#include <cstring>

#include <netkit/net/endpoint.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

std::uint64_t load64(const void* from) {
  std::uint64_t value = 0;
  std::memcpy(&value, from, sizeof value);
  return value;
}

// Odd constants with as many ones as zeros, from wyhash.
constexpr std::uint64_t kMix0 = 0xA0761D6478BD642FULL;
constexpr std::uint64_t kMix1 = 0xE7037ED1A0B428DBULL;
constexpr std::uint64_t kMix2 = 0x8EBC6AF09C88C6E3ULL;

}  // namespace

Endpoint::Endpoint(const IpAddress& address, std::uint16_t port) : Endpoint() {
  if (address.is_v4()) {
    storage_.v4.sin_port = htons(port);
    storage_.v4.sin_addr.s_addr = address.v4_network_order();
    return;
  }
  storage_.v6.sin6_family = AF_INET6;
  storage_.v6.sin6_port = htons(port);
  std::memcpy(&storage_.v6.sin6_addr, address.bytes().data(), address.bytes().size());
  storage_.v6.sin6_scope_id = address.scope_id();
}

std::optional<Endpoint> Endpoint::from_sockaddr(const sockaddr* address, socklen_t size) {
  if (address == nullptr || size < sizeof(sa_family_t)) return std::nullopt;
  Endpoint endpoint;
  if (address->sa_family == AF_INET && size >= sizeof(sockaddr_in)) {
    std::memcpy(&endpoint.storage_.v4, address, sizeof(sockaddr_in));
  } else if (address->sa_family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
    std::memcpy(&endpoint.storage_.v6, address, sizeof(sockaddr_in6));
  } else {
    return std::nullopt;
  }
  return endpoint;
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::parse(host);
  const auto port = read_integer<std::uint16_t>(text.substr(colon + 1));
  // The brackets belong to the spelling, so `[::ffff:1.2.3.4]:80` is good and `[1.2.3.4]:80` not.
  const bool has_colons = host.find(':') != std::string_view::npos;
  if (!address || !port || has_colons != bracketed) return std::nullopt;
  return Endpoint(*address, *port);
}

Endpoint Endpoint::unix_peer(std::uint16_t number) {
  Endpoint endpoint;
  endpoint.storage_.v6 = {};
  endpoint.storage_.v6.sin6_family = AF_UNIX;
  endpoint.storage_.v6.sin6_port = htons(number);
  return endpoint;
}

Endpoint Endpoint::serial_peer() {
  Endpoint endpoint = unix_peer(0);
  endpoint.storage_.v6.sin6_family = AF_UNSPEC;
  return endpoint;
}

IpAddress Endpoint::address() const {
  if (is_v4()) return IpAddress::v4(storage_.v4.sin_addr.s_addr);
  std::array<std::uint8_t, 16> bytes;
  std::memcpy(bytes.data(), &storage_.v6.sin6_addr, bytes.size());
  return IpAddress::v6(bytes, storage_.v6.sin6_scope_id);
}

// sin_port and sin6_port lie at the same place.
std::uint16_t Endpoint::port() const {
  return ntohs(storage_.v4.sin_port);
}

Endpoint Endpoint::with_port(std::uint16_t port) const {
  Endpoint copy = *this;
  copy.storage_.v4.sin_port = htons(port);
  return copy;
}

std::string Endpoint::to_string() const {
  std::string out;
  append_to(out);
  return out;
}

void Endpoint::append_to(std::string& out) const {
  if (family() == AF_UNSPEC) {
    out += "serial";
    return;
  }
  if (family() == AF_UNIX) {
    out.append("unix:").append(std::to_string(port()));
    return;
  }
  const IpAddress ip = address();
  if (ip.is_v6()) out += '[';
  ip.append_to(out);
  char buffer[8];
  char* at = buffer;
  if (ip.is_v6()) *at++ = ']';
  *at++ = ':';
  at = std::to_chars(at, buffer + sizeof buffer, port()).ptr;
  out.append(buffer, at);
}

std::size_t Endpoint::hash() const {
  const std::uint64_t port = storage_.v4.sin_port;
  if (is_v4()) {
    const std::uint64_t key = std::uint64_t{storage_.v4.sin_addr.s_addr} << 16 | port;
    return fold_product(key ^ kMix0, kMix1);
  }
  const auto* bytes = reinterpret_cast<const char*>(&storage_.v6.sin6_addr);
  const std::uint64_t tail = std::uint64_t{storage_.v6.sin6_scope_id} << 16 | port;
  const std::uint64_t high = fold_product(load64(bytes) ^ kMix0, tail ^ kMix1);
  return fold_product(load64(bytes + 8) ^ kMix2, high ^ kMix1);
}

bool operator==(const Endpoint& a, const Endpoint& b) {
  if (a.storage_.v4.sin_family != b.storage_.v4.sin_family) return false;
  if (a.storage_.v4.sin_port != b.storage_.v4.sin_port) return false;
  if (a.is_v4()) return a.storage_.v4.sin_addr.s_addr == b.storage_.v4.sin_addr.s_addr;
  return std::memcmp(&a.storage_.v6.sin6_addr, &b.storage_.v6.sin6_addr, sizeof(in6_addr)) == 0 &&
         a.storage_.v6.sin6_scope_id == b.storage_.v6.sin6_scope_id;
}

std::strong_ordering operator<=>(const Endpoint& a, const Endpoint& b) {
  if (a.family() != b.family()) return a.family() <=> b.family();
  if (const auto order = a.address() <=> b.address(); std::is_neq(order)) return order;
  return a.port() <=> b.port();
}

}  // namespace netkit
