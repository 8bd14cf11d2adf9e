// The values of one command line, after environment, configuration file and defaults were taken
// into account.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/cli/option.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// All values have been validated against their declarations. An option is accessed by its name,
// an argument by its own in capitals (`texts("TEXT")`, `address("ADDRESS")`). Asking for one that
// the action does not declare, or in the wrong kind, is a fault of the plugin and throws
// PluginError. Any thread, read only.
class NETKIT_API Values {
 public:
  enum class Origin : std::uint8_t { none, default_value, file, environment, command_line };

  bool declared(std::string_view option) const;
  bool has(std::string_view option) const;    // has a value, a default included
  bool given(std::string_view option) const;  // by the user: command line, environment or file
  Origin origin(std::string_view option) const;

  bool flag(std::string_view option) const;
  std::int64_t count(std::string_view option) const;  // how often a flag was given
  // One value; of a repeatable option the last. Without a value: empty text, 0, kNever for
  // durations.
  std::string text(std::string_view option) const;
  std::int64_t integer(std::string_view option) const;
  double number(std::string_view option) const;      // also percent, and rate in events a second
  Duration duration(std::string_view option) const;  // kNever for `none`
  std::uint64_t size(std::string_view option) const;
  // Of an option or argument with a value. A client's includes -4, -6 and --bind.
  AddressSpec address(std::string_view option) const;
  // All values of a repeatable option, in the order given.
  std::vector<std::string> texts(std::string_view option) const;
  std::vector<AddressSpec> addresses(std::string_view option) const;
  // The values of -4, -6 and --bind in the form of AddressSpec, for actions that take no address.
  // Throws UsageError if they contradict each other.
  AddressFamily family() const;
  std::vector<Endpoint> sources() const;

  // The words that are not options, as typed.
  const std::vector<std::string>& arguments() const { return arguments_; }

  // For the parser and for tests.
  struct Value {
    std::vector<std::string> texts{};
    Origin origin = Origin::none;
    std::string where{};  // `NETKIT_ECHO_WAIT`, `/etc/xdg/netkit/config:3`
    ValueKind kind = ValueKind::text;
  };
  Values() = default;
  Values(std::map<std::string, Value, std::less<>> values, std::vector<std::string> arguments)
      : values_(std::move(values)), arguments_(std::move(arguments)) {}
  const Value* find(std::string_view option) const;

 private:
  const Value& require(std::string_view option) const;
  void add_reach(AddressSpec& address, bool any_loopback) const;
  std::map<std::string, Value, std::less<>> values_;
  std::vector<std::string> arguments_;
};

// Parses these words as a command line, without environment and configuration files: for tests of a
// command. Throws UsageError.
NETKIT_API Values parse_words(const ActionDef& action, std::span<const std::string> words);

}  // namespace netkit
