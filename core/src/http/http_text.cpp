#include <algorithm>
#include <chrono>
#include <climits>
#include <unistd.h>
#include <utility>

#include <Poco/DateTimeFormat.h>
#include <Poco/DateTimeFormatter.h>
#include <Poco/Timestamp.h>
#include <fmt/format.h>

#include <netkit/http/http_text.hpp>
#include <netkit/net/ip_address.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit::http {
namespace {

bool consists_of(std::string_view text, std::string_view others) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [others](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           others.find(c) != std::string_view::npos;
  });
}

}  // namespace

std::string_view trim_blanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::string_view take_list_item(std::string_view& list) {
  const std::string_view item = list.substr(0, list.find(','));
  list.remove_prefix(std::min(list.size(), item.size() + 1));
  return trim_blanks(item);
}

std::string normal_path(std::string_view path) {
  constexpr std::string_view kUnreserved =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string out;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const int high = path[i] == '%' && i + 2 < path.size() ? hex_value(path[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(path[i + 2]) : -1;
    if (low < 0) {
      out += path[i];
      continue;
    }
    const int byte = high * 16 + low;
    const bool is_plain = kUnreserved.find(static_cast<char>(byte)) != std::string_view::npos;
    out += is_plain ? std::string(1, static_cast<char>(byte)) : fmt::format("%{:02X}", byte);
    i += 2;
  }
  return out;
}

std::string format_date(WallTime time) {
  const auto microseconds =
      std::chrono::floor<std::chrono::microseconds>(time.time_since_epoch()).count();
  return Poco::DateTimeFormatter::format(Poco::Timestamp(microseconds),
                                         Poco::DateTimeFormat::HTTP_FORMAT);
}

std::string checked_origin(std::string_view text) {
  if (text == "*" || text == "null") return std::string(text);
  std::string origin(text);
  std::transform(origin.begin(), origin.end(), origin.begin(), lower_letter);
  if (origin.ends_with('/')) origin.pop_back();
  const std::string_view view = origin;
  const std::size_t colon = std::min(view.find("://"), view.size());
  const std::string_view host = view.substr(std::min(colon + 3, view.size()));
  if (!consists_of(view.substr(0, colon), "+-.") || !consists_of(host, ".-_:[]")) {
    throw UsageError(
        fmt::format("--cors: '{}' is not an origin (write http://HOST, https://HOST:PORT or *)",
                    escaped_text(text)));
  }
  for (const std::string_view usual : {"http:80", "https:443"}) {
    const std::size_t at = usual.find(':');
    if (view.substr(0, colon) != usual.substr(0, at) || !view.ends_with(usual.substr(at))) continue;
    origin.resize(origin.size() - usual.substr(at).size());
    break;
  }
  return origin;
}

namespace {

std::string host_name_of_machine() {
  std::string name(HOST_NAME_MAX + 1, '\0');
  if (::gethostname(name.data(), name.size()) != 0) return {};
  name.resize(name.find('\0'));
  return name;
}

// In lower case, without a port and the dot at the end.
std::string without_port(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  const bool is_bracketed = host.starts_with('[') && host.ends_with(']');
  if (colon != std::string_view::npos && !is_bracketed) host = host.substr(0, colon);
  if (host.ends_with('.')) host.remove_suffix(1);
  std::string lower(host);
  std::transform(lower.begin(), lower.end(), lower.begin(), lower_letter);
  return lower;
}

bool is_address(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return IpAddress::parse(host).has_value();
}

}  // namespace

std::function<bool(std::string_view host)> own_hosts(std::vector<std::string> names) {
  const std::string machine = host_name_of_machine();
  names.insert(names.end(), {machine, machine + ".local"});
  for (std::string& name : names) name = without_port(name);
  return [names = std::move(names)](std::string_view text) {
    const std::string host = without_port(text);
    if (host.empty() || is_address(host) || host.ends_with(".localhost")) return true;
    if (consists_of(host, "-_")) return true;
    return std::find(names.begin(), names.end(), host) != names.end();
  };
}

}  // namespace netkit::http
