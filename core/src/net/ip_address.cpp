#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <net/if.h>

#include <netkit/net/ip_address.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr std::size_t kGroups = 8;

std::uint32_t load32(const std::uint8_t* bytes) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

char* put_decimal(char* at, unsigned value) {
  if (value >= 100) *at++ = static_cast<char>('0' + value / 100);
  if (value >= 10) *at++ = static_cast<char>('0' + value / 10 % 10);
  *at++ = static_cast<char>('0' + value % 10);
  return at;
}

char* put_v4(char* at, const std::uint8_t* bytes) {
  for (int i = 0; i < 4; ++i) {
    if (i != 0) *at++ = '.';
    at = put_decimal(at, bytes[i]);
  }
  return at;
}

char* put_group(char* at, unsigned value) {
  static constexpr char kDigits[] = "0123456789abcdef";
  for (int shift = 12; shift >= 0; shift -= 4) {
    const unsigned rest = value >> shift;
    if (rest != 0 || shift == 0) *at++ = kDigits[rest & 0xF];
  }
  return at;
}

struct Run {
  std::size_t begin = kGroups;
  std::size_t length = 0;
};

// The longest run of zero groups, the first of equals, at least two long (RFC 5952, 4.2).
Run longest_zero_run(const std::array<unsigned, kGroups>& groups) {
  Run best;
  for (std::size_t i = 0; i < kGroups;) {
    std::size_t end = i;
    while (end < kGroups && groups[end] == 0) ++end;
    if (end - i >= 2 && end - i > best.length) best = {i, end - i};
    i = end + 1;
  }
  return best;
}

char* put_v6(char* at, const std::array<std::uint8_t, 16>& bytes) {
  std::array<unsigned, kGroups> groups{};
  for (std::size_t i = 0; i < kGroups; ++i) {
    groups[i] = static_cast<unsigned>(bytes[2 * i] << 8 | bytes[2 * i + 1]);
  }
  const Run zeros = longest_zero_run(groups);
  for (std::size_t i = 0; i < kGroups; ++i) {
    if (i == zeros.begin) {
      *at++ = ':';
      *at++ = ':';
      i += zeros.length - 1;
      continue;
    }
    if (i != 0 && i != zeros.begin + zeros.length) *at++ = ':';
    at = put_group(at, groups[i]);
  }
  return at;
}

std::optional<std::uint32_t> parse_zone(std::string_view zone) {
  if (const auto number = read_integer<std::uint32_t>(zone); number && *number != 0) return number;
  if (zone.empty() || zone.size() >= IF_NAMESIZE) return std::nullopt;
  const unsigned index = ::if_nametoindex(std::string(zone).c_str());
  if (index == 0) return std::nullopt;
  return index;
}

}  // namespace

IpAddress IpAddress::v4(std::uint32_t network_order) {
  IpAddress address;
  std::memcpy(address.bytes_.data(), &network_order, sizeof network_order);
  return address;
}

IpAddress IpAddress::v6(const std::array<std::uint8_t, 16>& bytes, std::uint32_t scope_id) {
  if (std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin())) {
    return v4(load32(bytes.data() + kMappedPrefix.size()));
  }
  IpAddress address;
  address.family_ = Family::v6;
  address.bytes_ = bytes;
  address.scope_id_ = scope_id;
  return address;
}

IpAddress IpAddress::loopback(Family family) {
  if (family == Family::v4) return v4(htonl(INADDR_LOOPBACK));
  std::array<std::uint8_t, 16> bytes{};
  bytes[15] = 1;
  return v6(bytes);
}

IpAddress IpAddress::any(Family family) {
  return family == Family::v4 ? IpAddress() : v6({});
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::size_t percent = text.find('%');
  const std::string_view number = text.substr(0, percent);
  char buffer[INET6_ADDRSTRLEN];
  if (number.empty() || number.size() >= sizeof buffer) return std::nullopt;
  // An embedded NUL would end the text early for inet_pton.
  if (number.find('\0') != std::string_view::npos) return std::nullopt;
  std::memcpy(buffer, number.data(), number.size());
  buffer[number.size()] = '\0';

  std::uint32_t quad = 0;
  if (percent == std::string_view::npos && ::inet_pton(AF_INET, buffer, &quad) == 1) {
    return v4(quad);
  }
  std::array<std::uint8_t, 16> bytes{};
  if (::inet_pton(AF_INET6, buffer, bytes.data()) != 1) return std::nullopt;
  IpAddress address = v6(bytes);
  if (percent == std::string_view::npos) return address;
  if (address.is_v4() || !(address.is_link_local() || address.is_multicast())) return std::nullopt;
  const auto zone = parse_zone(text.substr(percent + 1));
  if (!zone) return std::nullopt;
  address.scope_id_ = *zone;
  return address;
}

std::uint32_t IpAddress::v4_network_order() const {
  return load32(bytes_.data());
}

bool IpAddress::is_unspecified() const {
  return std::all_of(bytes_.begin(), bytes_.end(), [](std::uint8_t byte) { return byte == 0; });
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes_[0] == 127;
  return bytes_[15] == 1 &&
         std::all_of(bytes_.begin(), bytes_.end() - 1, [](std::uint8_t byte) { return byte == 0; });
}

bool IpAddress::is_multicast() const {
  return is_v4() ? (bytes_[0] & 0xF0) == 0xE0 : bytes_[0] == 0xFF;
}

bool IpAddress::is_link_local() const {
  if (is_v4()) return bytes_[0] == 169 && bytes_[1] == 254;
  return bytes_[0] == 0xFE && (bytes_[1] & 0xC0) == 0x80;
}

bool IpAddress::is_limited_broadcast() const {
  return is_v4() && v4_network_order() == INADDR_BROADCAST;
}

std::string IpAddress::to_string() const {
  std::string out;
  append_to(out);
  return out;
}

void IpAddress::append_to(std::string& out) const {
  char buffer[INET6_ADDRSTRLEN];
  const char* const end = is_v4() ? put_v4(buffer, bytes_.data()) : put_v6(buffer, bytes_);
  out.append(buffer, static_cast<std::size_t>(end - buffer));
  if (scope_id_ == 0) return;
  out += '%';
  char name[IF_NAMESIZE];
  if (::if_indextoname(scope_id_, name) != nullptr) {
    out += name;
  } else {
    out += std::to_string(scope_id_);
  }
}

}  // namespace netkit
