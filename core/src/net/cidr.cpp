#include <algorithm>
#include <cstring>

#include <netkit/net/ip_address.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

unsigned address_bits(const IpAddress& address) {
  return address.is_v4() ? 32 : 128;
}

std::uint8_t mask_of_byte(std::size_t index, unsigned prefix_length) {
  const unsigned first_bit = static_cast<unsigned>(index) * 8;
  if (prefix_length >= first_bit + 8) return 0xFF;
  if (prefix_length <= first_bit) return 0;
  return static_cast<std::uint8_t>(0xFF00u >> (prefix_length - first_bit));
}

IpAddress masked(const IpAddress& address, unsigned prefix_length) {
  auto bytes = address.bytes();
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] &= mask_of_byte(i, prefix_length);
  if (address.is_v6()) {
    const IpAddress network = IpAddress::v6(bytes);
    // A block so wide that it is more than link-local addresses has no zone.
    if (!network.is_link_local() && !network.is_multicast()) return network;
    return IpAddress::v6(bytes, address.scope_id());
  }
  std::uint32_t quad = 0;
  std::memcpy(&quad, bytes.data(), sizeof quad);
  return IpAddress::v4(quad);
}

}  // namespace

Cidr::Cidr(const IpAddress& network, unsigned prefix_length)
    : network_(masked(network, std::min(prefix_length, address_bits(network)))),
      prefix_length_(std::min(prefix_length, address_bits(network))) {}

std::optional<Cidr> Cidr::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == std::string_view::npos) return Cidr(*address, address_bits(*address));

  const auto length = read_integer<unsigned>(text.substr(slash + 1));
  if (!length || *length > address_bits(*address)) return std::nullopt;
  return Cidr(*address, *length);
}

bool Cidr::contains(const IpAddress& address) const {
  if (address.family() != network_.family()) return false;
  if (network_.scope_id() != 0 && network_.scope_id() != address.scope_id()) return false;
  const auto& theirs = address.bytes();
  const auto& ours = network_.bytes();
  const std::size_t whole = prefix_length_ / 8;
  for (std::size_t i = 0; i < whole; ++i) {
    if (theirs[i] != ours[i]) return false;
  }
  if (prefix_length_ % 8 == 0) return true;
  return (theirs[whole] & mask_of_byte(whole, prefix_length_)) == ours[whole];
}

std::string Cidr::to_string() const {
  return network_.to_string() + '/' + std::to_string(prefix_length_);
}

}  // namespace netkit
