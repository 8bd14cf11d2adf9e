// The values of one command line, after environment, configuration file and defaults were taken
// into account.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// Every value has been validated by its kind when this exists. Asking for an option that the action
// does not declare, or in the wrong kind, is a fault of the plugin and throws PluginError. Any
// thread, read only.
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
  // All values of a repeatable option, in the order given.
  std::vector<std::string> texts(std::string_view option) const;

  const std::vector<std::string>& arguments() const { return arguments_; }

  // For the parser and for tests.
  struct Value {
    std::vector<std::string> texts;
    Origin origin = Origin::none;
    std::string where;  // `NETKIT_ECHO_WAIT`, `/etc/xdg/netkit/config:3`
  };
  Values() = default;
  Values(std::map<std::string, Value, std::less<>> values, std::vector<std::string> arguments)
      : values_(std::move(values)), arguments_(std::move(arguments)) {}
  const Value* find(std::string_view option) const;

 private:
  const Value& require(std::string_view option) const;
  std::map<std::string, Value, std::less<>> values_;
  std::vector<std::string> arguments_;
};

}  // namespace netkit
