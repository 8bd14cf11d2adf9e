#include "net/transport_address.hpp"

#include <algorithm>
#include <array>
#include <netdb.h>

#include <netkit/net/address_spec.hpp>
#include <netkit/net/ip_address.hpp>
#include <netkit/util/digits.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

constexpr std::size_t kMaxHost = 255;

// A number out of range is invalid, not a service name.
std::optional<std::uint16_t> read_port(std::string_view text) {
  if (is_digits(text)) return read_integer<std::uint16_t>(text);
  if (text.empty() || text.size() > kMaxHost) return std::nullopt;
  std::array<char, 1024> buffer;
  servent entry{};
  servent* found = nullptr;
  const std::string name(text);
  if (::getservbyname_r(name.c_str(), nullptr, &entry, buffer.data(), buffer.size(), &found) != 0 ||
      found == nullptr) {
    return std::nullopt;
  }
  return ntohs(static_cast<std::uint16_t>(found->s_port));
}

std::string in_quotes(std::string_view text) {
  return "'" + std::string(text) + "'";
}

std::uint16_t require_port(std::string_view text, std::string_view whole) {
  if (const auto port = read_port(text)) return *port;
  if (text.empty()) throw UsageError(in_quotes(whole) + " has no port after the colon");
  throw UsageError(in_quotes(text) + " is not a port (0 to 65535, or a service name)");
}

bool is_v6(std::string_view text) {
  return text.find(':') != std::string_view::npos && IpAddress::parse(text).has_value();
}

bool is_host_character(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > ' ' && byte != 0x7F && std::string_view("[]/@%").find(c) == std::string_view::npos;
}

void check_host(std::string_view host, std::string_view whole) {
  if (whole.find("://") != std::string_view::npos) {
    throw UsageError(in_quotes(whole) + " is a URL, not an address (write HOST:PORT)");
  }
  if (is_v6(host)) return;
  // The resolver would read 9000 as 0.0.35.40.
  if (is_digits(host) && host != "0") {
    throw UsageError(in_quotes(host) + " is a number, not a host (write HOST:PORT, or PORT alone)");
  }
  if (host.find(',') != std::string_view::npos) {
    throw UsageError(in_quotes(whole) + " is a list, where a single address belongs");
  }
  if (host.empty() || host.size() > kMaxHost || host.front() == '-' ||
      !std::all_of(host.begin(), host.end(), is_host_character)) {
    throw UsageError(in_quotes(whole) +
                     " is not an address (write HOST:PORT, [IPV6]:PORT or PORT)");
  }
}

// `::1:80` may mean two things; says how to write the one that was probably meant.
[[noreturn]] void refuse_bare_v6(std::string_view text, std::optional<std::uint16_t> default_port) {
  const std::size_t colon = text.rfind(':');
  const std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  std::string right;
  if (is_v6(host) && read_port(port)) {
    right = "[" + std::string(host) + "]:" + std::string(port);
  } else if (is_v6(text)) {
    right = "[" + std::string(text) + (default_port ? "]" : "]:PORT");
  } else {
    throw UsageError(in_quotes(text) + " is not an address (write HOST:PORT, [IPV6]:PORT or PORT)");
  }
  throw UsageError(in_quotes(text) + " is ambiguous: write " + right);
}

AddressSpec parse_bracketed(std::string_view text, std::optional<std::uint16_t> default_port) {
  const std::size_t close = text.find(']');
  const std::string_view host = text.substr(1, close - 1);
  const std::size_t percent = host.find('%');
  if (close != host.npos && percent != host.npos && is_v6(host.substr(0, percent)) &&
      !is_v6(host)) {
    const std::string alone(host.substr(0, percent));
    // Where a link-local address can have this zone, it is the address that can have none.
    if (is_v6("fe80::1" + std::string(host.substr(percent)))) {
      throw UsageError(in_quotes(text) +
                       ": only a link-local or multicast address has an interface " + "(write [" +
                       alone + "]" + std::string(text.substr(close + 1)) + ")");
    }
    throw UsageError(in_quotes(text) + ": there is no interface " +
                     in_quotes(host.substr(percent + 1)));
  }
  if (close == std::string_view::npos || !is_v6(host)) {
    throw UsageError(in_quotes(text) +
                     " is not an address: an IPv6 address belongs in the brackets");
  }
  const std::string_view rest = text.substr(close + 1);
  if (rest.empty() && default_port) return {std::string(host), *default_port};
  if (rest.empty())
    throw UsageError(in_quotes(text) + " has no port (write " + std::string(text) + ":PORT)");
  if (rest.front() != ':') {
    throw UsageError(in_quotes(text) + " is not an address (write [" + std::string(host) +
                     "]:PORT)");
  }
  return {std::string(host), require_port(rest.substr(1), text)};
}

AddressSpec port_alone(std::uint16_t port) {
  return {"127.0.0.1", port};
}

AddressSpec parse_word(std::string_view text, std::optional<std::uint16_t> default_port) {
  if (is_digits(text)) return port_alone(require_port(text, text));
  check_host(text, text);
  if (default_port) return {std::string(text), *default_port};
  if (const auto port = read_port(text)) return port_alone(*port);
  throw UsageError(in_quotes(text) + " has no port (write " + std::string(text) + ":PORT)");
}

std::string_view without_brackets(std::string_view host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']' &&
      is_v6(host.substr(1, host.size() - 2))) {
    return host.substr(1, host.size() - 2);
  }
  return host;
}

// A host without a port: not a number (that is a port), and no colon but those of an IPv6 address.
bool is_host_alone(std::string_view text) {
  const std::string_view host = without_brackets(text);
  if (is_v6(host)) return true;
  return !host.empty() && !is_digits(host) && std::all_of(host.begin(), host.end(), [](char c) {
    return c != ':' && is_host_character(c);
  });
}

}  // namespace

AddressSpec AddressSpec::parse(std::string_view text, AddressRole role,
                               std::optional<std::uint16_t> default_port) {
  if (text.empty()) throw UsageError("an address is missing (write HOST:PORT or PORT)");
  if (const auto prefixed = parse_transport_address(text, role)) return *prefixed;
  if (text.front() == '[') return parse_bracketed(text, default_port);
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return parse_word(text, default_port);
  if (colon != text.rfind(':') && text.find("://") == std::string_view::npos) {
    refuse_bare_v6(text, default_port);
  }
  const std::string_view host = text.substr(0, colon);
  if (!host.empty()) check_host(host, text);
  const std::uint16_t port = require_port(text.substr(colon + 1), text);
  return {std::string(host), port, host.empty() && is_server(role)};
}

AddressSpec AddressSpec::parse(std::string_view host, std::string_view port, AddressRole role) {
  if (host.empty()) return {{}, require_port(port, host), is_server(role)};
  const std::string_view bare = without_brackets(host);
  check_host(bare, host);
  if (bare.find(':') != std::string_view::npos && !is_v6(bare)) {
    throw UsageError(in_quotes(host) + " is not a host name or an address");
  }
  return {std::string(bare), require_port(port, host)};
}

std::vector<AddressSpec> AddressSpec::parse_list(std::string_view list, AddressRole role) {
  std::vector<AddressSpec> addresses;
  std::size_t begin = 0;
  while (begin <= list.size()) {
    const std::size_t comma = end_of_address(list, begin);
    if (comma == begin) throw UsageError("the list has an empty address (write ADDRESS,ADDRESS)");
    addresses.push_back(parse(list.substr(begin, comma - begin), role));
    begin = comma + 1;
  }
  return addresses;
}

std::string AddressSpec::to_string() const {
  if (transport == Transport::unix_socket) return "unix:" + path;
  if (transport == Transport::serial) return "serial:" + path + "," + serial.to_string();
  const std::string prefix = transport == Transport::udp ? "udp:" : "";
  const bool brackets = host.find(':') != std::string::npos;
  return prefix + (brackets ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

AddressSpec take_address(std::vector<std::string>& arguments, AddressRole role,
                         std::string_view fallback) {
  if (arguments.empty()) return AddressSpec::parse(fallback, role);
  std::ptrdiff_t taken = 1;
  AddressSpec spec;
  if (arguments.size() > 1 && is_host_alone(arguments[0]) && read_port(arguments[1])) {
    spec = AddressSpec::parse(arguments[0], arguments[1], role);
    taken = 2;
  } else {
    spec = AddressSpec::parse(arguments[0], role);
  }
  arguments.erase(arguments.begin(), arguments.begin() + taken);
  return spec;
}

std::vector<AddressSpec> take_addresses(std::vector<std::string>& arguments,
                                        std::string_view fallback) {
  const std::string list = arguments.empty() ? std::string(fallback) : arguments.front();
  if (list.find(',') == std::string::npos) {
    return {take_address(arguments, AddressRole::client, fallback)};
  }
  if (!arguments.empty()) arguments.erase(arguments.begin());
  return AddressSpec::parse_list(list, AddressRole::client);
}

}  // namespace netkit
