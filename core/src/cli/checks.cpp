#include "cli/checks.hpp"

#include "cli/option_set.hpp"

#include <algorithm>
#include <regex>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <netkit/net/address_spec.hpp>
#include <netkit/net/ip_address.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/quantity.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

constexpr std::size_t kMaxInterfaceName = 15;

[[noreturn]] void refuse(std::string_view text, std::string_view what, std::string_view instead) {
  throw UsageError("'" + escaped_text(text) + "' is not " + std::string(what) + " (write " +
                   std::string(instead) + ")");
}

// "'3' is too small (at least 5)"
[[noreturn]] void refuse_small(std::string_view text, std::string_view least) {
  throw UsageError(fmt::format("'{}' is too small (at least {})", text, least));
}

[[noreturn]] void refuse_large(std::string_view text, std::string_view most) {
  throw UsageError(fmt::format("'{}' is too large (at most {})", text, most));
}

void check_integer(const OptionDef& option, std::string_view text) {
  const auto value = read_integer<std::int64_t>(text);
  if (!value) throw UsageError("'" + escaped_text(text) + "' is not a whole number");
  if (*value < option.min) refuse_small(text, std::to_string(option.min));
  if (*value > option.max) refuse_large(text, std::to_string(option.max));
}

void check_number(const OptionDef& option, std::string_view text) {
  const auto value = read_number(text);
  if (!value) refuse(text, "a number", "5 or 0.5");
  if (*value < static_cast<double>(option.min)) refuse_small(text, std::to_string(option.min));
  if (option.max != INT64_MAX && *value > static_cast<double>(option.max)) {
    refuse_large(text, std::to_string(option.max));
  }
}

void check_duration(const OptionDef& option, std::string_view text) {
  const Duration value = parse_duration(text);
  if (option.min == 1 && value <= Duration::zero()) {
    throw UsageError(fmt::format("'{}' is too short (more than 0)", text));
  }
  if (value < Duration(option.min)) {
    throw UsageError(fmt::format("'{}' is too short (at least {})", text,
                                 format_duration(Duration(option.min))));
  }
  if (value > Duration(option.max)) {
    throw UsageError(
        fmt::format("'{}' is too long (at most {})", text, format_duration(Duration(option.max))));
  }
}

void check_size(const OptionDef& option, std::string_view text) {
  const std::uint64_t value = parse_size(text);
  const auto min = static_cast<std::uint64_t>(option.min);
  const auto max = static_cast<std::uint64_t>(option.max);
  if (value < min) refuse_small(text, format_size(min));
  if (value > max) refuse_large(text, format_size(max));
}

void check_choice(const OptionDef& option, std::string_view text) {
  if (std::ranges::find(option.choices, text) != option.choices.end()) return;
  throw UsageError(fmt::format("'{}' is not {}{}", escaped_text(text), choice_of(option.choices),
                               did_you_mean(text, option.choices)));
}

void check_count_or_word(const OptionDef& option, std::string_view text) {
  if (std::ranges::find(option.choices, text) != option.choices.end()) return;
  if (!read_integer<std::int64_t>(text)) {
    std::vector<std::string_view> words = option.choices;
    words.push_back("a whole number");
    throw UsageError(fmt::format("'{}' is not {}", escaped_text(text), choice_of(words)));
  }
  check_integer(option, text);
}

void check_interface(std::string_view text) {
  const bool is_name = text.size() <= kMaxInterfaceName && std::ranges::none_of(text, [](char c) {
                         return c == '/' || static_cast<unsigned char>(c) <= ' ';
                       });
  if (!is_name && !IpAddress::parse(text)) {
    refuse(text, "a network interface", "its name, as in `ip link`, or one of its addresses");
  }
}

// `/x`, `./x`, `../x`, `~/x`
bool is_path(std::string_view text) {
  return text.starts_with('/') || text.starts_with("./") || text.starts_with("../") ||
         text.starts_with("~/");
}

// `SCHEME:…/STREAM`: which schemes there are, only the plugins tell.
bool is_stream_of_store(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) return false;
  const std::string_view scheme = text.substr(0, colon);
  const bool is_word = std::ranges::all_of(
      scheme, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
  return is_word && scheme.front() >= 'a' && text.find('/', colon) != std::string_view::npos &&
         !scheme.starts_with("http") && scheme != "tls" && scheme != "unix" && scheme != "serial";
}

void check_source(std::string_view text) {
  if (text == "-") return;
  for (const std::string_view scheme : {"file:", "exec:"}) {
    if (text.starts_with(scheme) && text.size() > scheme.size()) return;
  }
  for (const std::string_view scheme : {"udp:", "tcp:", "unix:"}) {
    if (!text.starts_with(scheme)) continue;
    AddressSpec::parse(text, AddressRole::any_server);
    return;
  }
  if (is_path(text)) refuse(text, "a source", fmt::format("file:{}", escaped_text(text)));
  if (is_stream_of_store(text)) return;
  refuse(text, "a source",
         "-, file:PATH, exec:COMMAND, udp:ADDRESS, tcp:ADDRESS, unix:PATH or STORE/STREAM");
}

void check_sink(std::string_view text) {
  if (text == "-" || text == "none") return;
  for (const std::string_view scheme : {"file:", "exec:"}) {
    if (text.starts_with(scheme) && text.size() > scheme.size()) return;
  }
  for (const std::string_view scheme : {"udp:", "broadcast:", "multicast:"}) {
    if (!text.starts_with(scheme)) continue;
    AddressSpec::parse(text.substr(scheme.size()), AddressRole::client);
    return;
  }
  if (is_path(text)) refuse(text, "a sink", fmt::format("file:{}", escaped_text(text)));
  if (is_stream_of_store(text)) return;
  refuse(text, "a sink",
         "-, file:PATH, udp:HOST:PORT, broadcast:HOST:PORT, multicast:GROUP:PORT, exec:COMMAND, "
         "STORE/STREAM or none");
}

void check_regex(std::string_view text) {
  try {
    static_cast<void>(std::regex(text.begin(), text.end()));
  } catch (const std::regex_error&) {
    throw UsageError("'" + escaped_text(text) + "' is not a regular expression (ECMAScript)");
  }
}

// Does not repeat the value, which may hold a password.
void check_url(std::string_view text) {
  const bool printable =
      std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) > ' '; });
  if (!printable) throw UsageError("a URL cannot contain blanks (write http://HOST/PATH)");
}

// A login has no colon (RFC 7617): what stands behind one is a password, which is not repeated.
void check_login(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == text.npos) return;
  throw UsageError(
      fmt::format("a password on the command line is visible to other users (write {} and "
                  "--password-file FILE)",
                  escaped_text(text.substr(0, colon))));
}

void check_flag(std::string_view text) {
  if (!read_flag(text)) refuse(text, "yes or no", "true, false or a count");
}

// Kinds that accept most texts, as far as can be told without opening anything.
void check_words(const OptionDef& option, std::string_view text) {
  const bool may_be_empty =
      option.kind == ValueKind::text || option.kind == ValueKind::template_text;
  if (text.empty() && !may_be_empty) throw UsageError("needs a non-empty value");
  if (option.kind == ValueKind::url) check_url(text);
  if (option.kind == ValueKind::regex) check_regex(text);
  if (option.kind == ValueKind::interface) check_interface(text);
  if (option.kind == ValueKind::login) check_login(text);
}

// Takes the words of one value from the front; the value as one word.
std::string take_value(const ArgumentDef& argument, std::vector<std::string>& rest) {
  std::string word = rest.front();
  const bool is_list = is_address_list(argument.kind) && word.find(',') != word.npos;
  if (is_address(argument.kind) && !is_list) {
    const std::size_t before = rest.size();
    const AddressSpec address = take_address(rest, role_of(argument.kind));
    return before - rest.size() > 1 ? address.to_string() : word;
  }
  try {
    check_value({.name = argument.name, .kind = argument.kind}, word);
  } catch (const UsageError& error) {
    throw UsageError(fmt::format("{}: {}", argument.name, error.what()));
  }
  rest.erase(rest.begin());
  return word;
}

std::size_t required_after(const ActionDef& action, std::size_t index) {
  const auto after = action.arguments.begin() + static_cast<std::ptrdiff_t>(index) + 1;
  return static_cast<std::size_t>(
      std::count_if(after, action.arguments.end(),
                    [](const ArgumentDef& argument) { return !argument.optional; }));
}

// The first argument that is needed, from the one at `index` on, and that `given` words leave out.
std::string first_missing(const ActionDef& action, std::size_t index, std::size_t given) {
  auto argument = action.arguments.begin() + static_cast<std::ptrdiff_t>(index);
  for (; argument->optional || given > 0; ++argument) {
    if (!argument->optional) --given;
  }
  return shown_name(*argument);
}

}  // namespace

std::optional<std::int64_t> read_flag(std::string_view text) {
  for (const std::string_view yes : {"true", "yes", "on"}) {
    if (text == yes) return 1;
  }
  for (const std::string_view no : {"false", "no", "off"}) {
    if (text == no) return 0;
  }
  const auto value = read_integer<std::int64_t>(text);
  return value && *value >= 0 ? value : std::nullopt;
}

void check_value(const OptionDef& option, std::string_view text) {
  if (text.empty() && may_be_empty(option)) return;
  switch (option.kind) {
    case ValueKind::flag:
      return check_flag(text);
    case ValueKind::integer:
      return check_integer(option, text);
    case ValueKind::number:
      return check_number(option, text);
    case ValueKind::percent:
      if (!read_percent(text)) refuse(text, "a percentage", "5%, 0.5% or 5");
      return;
    case ValueKind::optional_duration:
      if (text.empty()) return;
      [[fallthrough]];
    case ValueKind::duration:
      return check_duration(option, text);
    case ValueKind::size:
      return check_size(option, text);
    case ValueKind::rate:
      return static_cast<void>(parse_rate(text));
    case ValueKind::addresses:
    case ValueKind::streams:
      AddressSpec::parse_list(text, role_of(option.kind));
      return;
    case ValueKind::address:
    case ValueKind::listen_address:
    case ValueKind::stream:
    case ValueKind::listen_stream:
      AddressSpec::parse(text, role_of(option.kind));
      return;
    case ValueKind::source_address:
      read_sources(text);
      return;
    case ValueKind::ip:
      if (!IpAddress::parse(text)) refuse(text, "an IP address", "192.0.2.1 or 2001:db8::1");
      return;
    case ValueKind::cidr:
      if (!Cidr::parse(text))
        refuse(text, "a network", "192.0.2.0/24, 2001:db8::/32 or an address");
      return;
    case ValueKind::source:
      return check_source(text);
    case ValueKind::sink:
      return check_sink(text);
    case ValueKind::choice:
      return check_choice(option, text);
    case ValueKind::count_or_word:
      return check_count_or_word(option, text);
    case ValueKind::text:
    case ValueKind::interface:
    case ValueKind::path:
    case ValueKind::template_text:
    case ValueKind::command:
    case ValueKind::regex:
    case ValueKind::url:
    case ValueKind::login:
      return check_words(option, text);
  }
}

std::map<std::string, Values::Value, std::less<>> take_arguments(
    const ActionDef& action, const std::vector<std::string>& arguments) {
  std::map<std::string, Values::Value, std::less<>> taken;
  std::vector<std::string> rest = arguments;
  for (std::size_t i = 0; i < action.arguments.size(); ++i) {
    const ArgumentDef& argument = action.arguments[i];
    Values::Value& value = taken[std::string(argument.name)];
    value.kind = argument.kind;
    const std::size_t kept = required_after(action, i);
    if (rest.size() <= kept) {
      if (!argument.optional) {
        const std::string missing = "missing " + first_missing(action, i, rest.size());
        if (action.name.empty()) throw UsageError(missing);
        throw UsageError(
            fmt::format("{}, as in '{} {}'", missing, action.name, argument_synopsis(action)));
      }
      if (argument.default_value.empty()) continue;
      value.texts = {std::string(argument.default_value)};
      value.origin = Values::Origin::default_value;
      continue;
    }
    value.origin = Values::Origin::command_line;
    do {
      value.texts.push_back(take_value(argument, rest));
    } while (argument.repeatable && rest.size() > kept);
  }
  if (rest.empty()) return taken;
  const std::string synopsis = argument_synopsis(action);
  throw UsageError(fmt::format("unexpected argument '{}' (it takes {})", escaped_text(rest.front()),
                               synopsis.empty() ? "none" : synopsis));
}

std::string shown_name(const ArgumentDef& argument) {
  const std::string name(argument.name);
  return is_address_list(argument.kind) ? name + "[," + name + "…]" : name;
}

std::string argument_synopsis(const ActionDef& action) {
  std::string out;
  for (const ArgumentDef& argument : action.arguments) {
    if (!out.empty()) out += ' ';
    std::string name = shown_name(argument);
    if (argument.repeatable) name += "…";
    out += argument.optional ? "[" + name + "]" : name;
  }
  return out;
}

}  // namespace netkit
