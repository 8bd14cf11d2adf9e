// Addresses with a prefix that names the transport.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include <netkit/net/address_spec.hpp>

namespace netkit {

constexpr bool is_server(AddressRole role) {
  return role == AddressRole::server || role == AddressRole::any_server;
}

// `udp:ADDRESS`, `tcp:ADDRESS`, `unix:PATH`, `serial:DEVICE,SETTINGS`; nothing for what has no
// prefix and for roles that know none. Throws UsageError.
std::optional<AddressSpec> parse_transport_address(std::string_view text, AddressRole role);

// Where the address that begins at `begin` of a list with commas ends: the settings of a serial
// line belong to it.
std::size_t end_of_address(std::string_view list, std::size_t begin);

}  // namespace netkit
