#include "net/transport_address.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

constexpr std::string_view kSerial = "serial:";

// `8n1`
bool is_layout(std::string_view word) {
  return word.size() == 3 && word[0] >= '5' && word[0] <= '8' &&
         std::string_view("neoNEO").find(word[1]) != word.npos &&
         (word[2] == '1' || word[2] == '2');
}

// Takes one of the settings of a serial line; false for a word that is none.
bool take_setting(std::string_view word, SerialSettings& settings) {
  if (const auto speed = read_integer<std::uint32_t>(word); speed && *speed > 0) {
    settings.speed = *speed;
  } else if (is_layout(word)) {
    settings.data_bits = static_cast<std::uint8_t>(word[0] - '0');
    settings.parity = static_cast<char>(word[1] | 0x20);
    settings.stop_bits = static_cast<std::uint8_t>(word[2] - '0');
  } else if (word == "rs485") {
    settings.rs485 = true;
  } else {
    return false;
  }
  return true;
}

AddressSpec parse_serial(std::string_view text) {
  AddressSpec spec;
  spec.transport = Transport::serial;
  std::size_t comma = text.find(',');
  spec.path = text.substr(0, comma);
  if (spec.path.empty())
    throw UsageError("a serial line needs a device (write serial:/dev/ttyUSB0)");
  while (comma != text.npos) {
    const std::size_t from = comma + 1;
    comma = text.find(',', from);
    const std::string_view word = text.substr(from, comma - from);
    if (!take_setting(word, spec.serial)) {
      throw UsageError(
          fmt::format("'{}' is not a setting of a serial line (write serial:{},115200,8n1, "
                      "optionally with ,rs485)",
                      escaped_text(word), escaped_text(spec.path)));
    }
  }
  return spec;
}

AddressSpec parse_unix(std::string_view path) {
  constexpr std::size_t kLongest = 107;  // of sockaddr_un
  if (path.empty() || path.size() > kLongest) {
    throw UsageError(
        fmt::format("unix: needs the path of a socket, of at most {} bytes", kLongest));
  }
  AddressSpec spec;
  spec.transport = Transport::unix_socket;
  spec.path = path;
  return spec;
}

}  // namespace

std::optional<AddressSpec> parse_transport_address(std::string_view text, AddressRole role) {
  if (role != AddressRole::any_client && role != AddressRole::any_server) return std::nullopt;
  const AddressRole plain = is_server(role) ? AddressRole::server : AddressRole::client;
  const std::size_t colon = text.find(':');
  if (colon == text.npos) return std::nullopt;
  const std::string_view prefix = text.substr(0, colon + 1);
  const std::string_view rest = text.substr(colon + 1);
  if (prefix == kSerial) return parse_serial(rest);
  if (prefix == "unix:") return parse_unix(rest);
  if (prefix != "udp:" && prefix != "tcp:") return std::nullopt;
  AddressSpec spec = AddressSpec::parse(rest, plain);
  if (prefix == "udp:") spec.transport = Transport::udp;
  return spec;
}

std::size_t end_of_address(std::string_view list, std::size_t begin) {
  std::size_t comma = std::min(list.find(',', begin), list.size());
  if (!list.substr(begin).starts_with(kSerial)) return comma;
  SerialSettings ignored;
  while (comma < list.size()) {
    const std::size_t next = std::min(list.find(',', comma + 1), list.size());
    const std::string_view word = list.substr(comma + 1, next - comma - 1);
    // A word that is no setting, but no address either, is left to parse_serial() to refuse.
    if (!take_setting(word, ignored) && word.find(':') != word.npos) break;
    comma = next;
  }
  return comma;
}

std::string SerialSettings::to_string() const {
  return fmt::format("{},{}{}{}{}", speed, data_bits, parity, stop_bits, rs485 ? ",rs485" : "");
}

}  // namespace netkit
