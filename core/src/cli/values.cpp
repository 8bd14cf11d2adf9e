#include "cli/checks.hpp"

#include <utility>

#include <fmt/format.h>

#include <netkit/cli/values.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/quantity.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

[[noreturn]] void wrong_kind(std::string_view option, std::string_view text) {
  throw PluginError("--" + std::string(option) + " was asked for in a kind that '" +
                    std::string(text) + "' is not of");
}

// `PORT` is loopback of whichever family is wanted, and so is a default.
bool is_any_loopback(const Values::Value& value, std::string_view text) {
  return value.origin == Values::Origin::default_value || text.find(':') == text.npos;
}

bool is_of_peer(ValueKind kind) {
  return kind == ValueKind::address || kind == ValueKind::stream;
}

}  // namespace

const Values::Value* Values::find(std::string_view option) const {
  const auto at = values_.find(option);
  return at == values_.end() ? nullptr : &at->second;
}

const Values::Value& Values::require(std::string_view option) const {
  const Value* value = find(option);
  if (value == nullptr) {
    throw PluginError("--" + std::string(option) + " was asked for but is not declared");
  }
  return *value;
}

bool Values::declared(std::string_view option) const {
  return find(option) != nullptr;
}

bool Values::has(std::string_view option) const {
  return !require(option).texts.empty();
}

bool Values::given(std::string_view option) const {
  return origin(option) > Origin::default_value;
}

Values::Origin Values::origin(std::string_view option) const {
  return require(option).origin;
}

bool Values::flag(std::string_view option) const {
  return count(option) > 0;
}

std::int64_t Values::count(std::string_view option) const {
  const std::string value = text(option);
  if (value.empty()) return 0;
  const auto count = read_flag(value);
  if (!count) wrong_kind(option, value);
  return *count;
}

std::string Values::text(std::string_view option) const {
  const Value& value = require(option);
  return value.texts.empty() ? std::string() : value.texts.back();
}

std::int64_t Values::integer(std::string_view option) const {
  const std::string value = text(option);
  if (value.empty()) return 0;
  const auto number = read_integer<std::int64_t>(value);
  if (!number) wrong_kind(option, value);
  return *number;
}

double Values::number(std::string_view option) const {
  const std::string value = text(option);
  if (value.empty()) return 0;
  if (const auto number = read_number(value)) return *number;
  if (const auto percent = read_percent(value)) return *percent;
  if (const auto rate = read_rate(value)) return *rate;
  wrong_kind(option, value);
}

Duration Values::duration(std::string_view option) const {
  const std::string value = text(option);
  if (value.empty()) return kNever;
  const auto duration = read_duration(value);
  if (!duration) wrong_kind(option, value);
  return *duration;
}

std::uint64_t Values::size(std::string_view option) const {
  const std::string value = text(option);
  if (value.empty()) return 0;
  const auto size = read_size(value);
  if (!size) wrong_kind(option, value);
  return *size;
}

AddressFamily Values::family() const {
  if (!declared("ipv4")) return AddressFamily::any;
  if (flag("ipv4")) return AddressFamily::v4;
  return flag("ipv6") ? AddressFamily::v6 : AddressFamily::any;
}

std::vector<Endpoint> Values::sources() const {
  if (!declared("ipv4") || !has("bind")) return {};
  std::vector<Endpoint> sources = read_sources(text("bind"));
  const AddressFamily wanted = family();
  if (wanted == AddressFamily::any) return sources;
  const bool v4 = wanted == AddressFamily::v4;
  std::erase_if(sources, [v4](const Endpoint& source) { return source.is_v4() != v4; });
  if (!sources.empty()) return sources;
  throw UsageError(
      fmt::format("--bind: '{}' is not an IPv{} address", text("bind"), v4 ? "4 (-4)" : "6 (-6)"));
}

// A source of one family says which one the address must be of.
void Values::add_reach(AddressSpec& address, bool any_loopback) const {
  address.family = family();
  address.sources = sources();
  if (address.family == AddressFamily::any && address.sources.size() == 1) {
    address.family = address.sources.front().is_v4() ? AddressFamily::v4 : AddressFamily::v6;
  }
  const bool v6 = address.family == AddressFamily::v6;
  if (any_loopback && v6 && address.host == "127.0.0.1") address.host = "::1";
}

AddressSpec Values::address(std::string_view option) const {
  const Value& value = require(option);
  AddressSpec address = AddressSpec::parse(text(option), role_of(value.kind));
  if (is_of_peer(value.kind)) add_reach(address, is_any_loopback(value, text(option)));
  return address;
}

std::vector<AddressSpec> Values::addresses(std::string_view option) const {
  const Value& value = require(option);
  std::vector<AddressSpec> found;
  for (const std::string& text : value.texts) {
    if (!is_address_list(value.kind)) {
      found.push_back(AddressSpec::parse(text, role_of(value.kind)));
      if (is_of_peer(value.kind)) add_reach(found.back(), is_any_loopback(value, text));
      continue;
    }
    for (AddressSpec& address : AddressSpec::parse_list(text, role_of(value.kind))) {
      add_reach(address, is_any_loopback(value, text));
      found.push_back(std::move(address));
    }
  }
  return found;
}

std::vector<std::string> Values::texts(std::string_view option) const {
  return require(option).texts;
}

}  // namespace netkit
