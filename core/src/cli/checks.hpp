// Whether values and positional arguments are what an action declares.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/cli/option.hpp>
#include <netkit/cli/values.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// Throws UsageError that says what the value is not and what would be right, without the option's
// name in front: "'5x' is not a duration (write 500ms, 5s, 2m, 1.5h or none)". An empty value of an
// optional duration is right; flags take a count or `true yes on false no off`. Opens nothing.
NETKIT_API void check_value(const OptionDef& option, std::string_view text);

constexpr bool is_address_list(ValueKind kind) {
  return kind == ValueKind::addresses || kind == ValueKind::streams;
}
constexpr bool is_address(ValueKind kind) {
  return kind == ValueKind::address || kind == ValueKind::stream || is_address_list(kind) ||
         kind == ValueKind::listen_address || kind == ValueKind::listen_stream;
}
constexpr AddressRole role_of(ValueKind kind) {
  if (kind == ValueKind::listen_stream) return AddressRole::any_server;
  if (kind == ValueKind::stream || kind == ValueKind::streams) return AddressRole::any_client;
  return kind == ValueKind::listen_address ? AddressRole::server : AddressRole::client;
}

// `true yes on` are 1, `false no off` 0, a number is itself; nothing for anything else. Any thread.
std::optional<std::int64_t> read_flag(std::string_view text);

// Reads as many words for an argument as it takes: an address is one word or `HOST PORT`, kept as
// one; a repeatable one takes all that the ones after it do not need; one that is left out has its
// default. Throws UsageError. Opens nothing.
NETKIT_API std::map<std::string, Values::Value, std::less<>> take_arguments(
    const ActionDef& action, const std::vector<std::string>& arguments);

// `ADDRESS[,ADDRESS…]`
NETKIT_API std::string shown_name(const ArgumentDef& argument);
// `ADDRESS [TEXT…]`
NETKIT_API std::string argument_synopsis(const ActionDef& action);

}  // namespace netkit
