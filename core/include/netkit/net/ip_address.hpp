// An IPv4 or IPv6 address as a small value, and CIDR blocks of them.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <netkit/util/export.hpp>

namespace netkit {

// 24 bytes, trivially copyable. The default is the unspecified IPv4 address, 0.0.0.0. An
// IPv4-mapped IPv6 address (::ffff:a.b.c.d) is read as the IPv4 address it holds, so that there is
// one form of each. Any thread.
class NETKIT_API IpAddress {
 public:
  enum class Family : std::uint8_t { v4, v6 };

  IpAddress() = default;
  // `network_order` as in in_addr.s_addr.
  static IpAddress v4(std::uint32_t network_order);
  // `scope_id` is the zone of a link-local address, 0 for none.
  static IpAddress v6(const std::array<std::uint8_t, 16>& bytes, std::uint32_t scope_id = 0);
  static IpAddress loopback(Family family);
  static IpAddress any(Family family);
  // Reads numeric text: dotted quad (four decimal parts, no leading zeros), RFC 4291 text, `%zone`
  // by interface name or number (link-local and multicast addresses only); no brackets. Nothing
  // when it is anything else, a zone that the machine lacks included. Never asks DNS.
  static std::optional<IpAddress> parse(std::string_view text);

  Family family() const { return family_; }
  bool is_v4() const { return family_ == Family::v4; }
  bool is_v6() const { return family_ == Family::v6; }
  std::uint32_t v4_network_order() const;  // only for v4
  const std::array<std::uint8_t, 16>& bytes() const {
    return bytes_;
  }  // a v4 address is in the first four
  std::uint32_t scope_id() const { return scope_id_; }

  bool is_unspecified() const;
  bool is_loopback() const;           // 127.0.0.0/8, ::1
  bool is_multicast() const;          // 224.0.0.0/4, ff00::/8
  bool is_link_local() const;         // 169.254.0.0/16, fe80::/10
  bool is_limited_broadcast() const;  // 255.255.255.255

  // RFC 5952 text, with `%zone` (the interface's name where it has one) for a scoped address.
  std::string to_string() const;
  // The same at the end of `out`, without a temporary; a system call only for the name of a zone.
  void append_to(std::string& out) const;

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
  // clang-tidy 14 sees a null pointer in what `= default` makes of this.
  // NOLINTNEXTLINE(modernize-use-nullptr)
  friend std::strong_ordering operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
  std::uint32_t scope_id_ = 0;
  Family family_ = Family::v4;
};

// An address block, `10.0.0.0/8`, `fe80::/10`; an address alone is a block of one. Any thread.
class NETKIT_API Cidr {
 public:
  Cidr(const IpAddress& network, unsigned prefix_length);
  // Nothing when the address does not parse or the length is over 32 or 128. Bits below the length
  // are ignored.
  static std::optional<Cidr> parse(std::string_view text);
  bool contains(const IpAddress& address) const;
  std::string to_string() const;

 private:
  IpAddress network_;
  unsigned prefix_length_;
};

}  // namespace netkit
