#include <algorithm>
#include <sse/http_url.hpp>

#include <fmt/format.h>

#include <netkit/http/http_text.hpp>
#include <netkit/util/digits.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit::sse {
namespace {

// `ws://HOST/PATH`, which people try on any address that streams.
void refuse_websocket(std::string_view text) {
  const std::string_view scheme = text.substr(0, text.find(':'));
  const bool is_tls = http::equal_without_case(scheme, "wss");
  if (!is_tls && !http::equal_without_case(scheme, "ws")) return;
  const std::string shown = escaped_text(without_passwords(text));
  throw UsageError(
      fmt::format("'{}' is a WebSocket URL, but event streams are read over HTTP (write {}{})",
                  shown, is_tls ? "https" : "http", shown.substr(scheme.size())));
}

// The interface of a link-local address: `[fe80::1%25eth0]`, as RFC 6874 has it, or
// `[fe80::1%eth0]`.
struct Zone {
  std::size_t begin;  // the percent sign
  std::size_t end;
  std::string name;
};

Zone zone_of(std::string_view host) {
  const std::size_t end = std::min(host.find(']'), host.size());
  const std::size_t begin = std::min(host.find('%'), end);
  std::string_view name = host.substr(begin, end - begin);
  name.remove_prefix(
      name.starts_with("%25") && name.size() > 3 ? 3 : std::min<std::size_t>(name.size(), 1));
  return {begin, end, std::string(name)};
}

}  // namespace

std::string completed_url(std::string_view text) {
  if (text.find("://") != std::string_view::npos) {
    refuse_websocket(text);
    return std::string(text);
  }
  const std::string_view authority = text.substr(0, text.find_first_of("/?#"));
  const bool is_port = is_digits(authority);
  if (is_port) return fmt::format("http://127.0.0.1:{}", text);
  const bool has_port_alone = authority.starts_with(':') && is_digits(authority.substr(1));
  return fmt::format("http://{}{}", has_port_alone ? "127.0.0.1" : "", text);
}

HttpUrl parse_http_url(std::string_view text) {
  const std::string full = completed_url(text);
  HttpUrl url{.is_tls = full.starts_with("https://"), .server = {}, .host = {}, .path = {}};
  const std::string_view rest = std::string_view(full).substr(full.find("://") + 3);
  url.host = rest.substr(0, rest.find_first_of("/?#"));
  const bool is_http = url.is_tls || full.starts_with("http://");
  const bool has_login = url.host.find('@') != url.host.npos;
  if (!is_http || url.host.empty() || is_digits(url.host) || has_login) {
    throw UsageError(
        fmt::format("'{}' {} (write http://HOST:PORT/PATH)",
                    escaped_text(without_passwords(has_login ? full : text)),
                    has_login ? "has a login, which is not sent here" : "is not a URL"));
  }
  url.path = rest.substr(url.host.size(), rest.find('#') - url.host.size());
  if (!url.path.starts_with('/')) url.path.insert(0, "/");
  const std::uint16_t usual = url.is_tls ? 443 : 80;
  std::string address = url.host;
  if (const Zone zone = zone_of(url.host); zone.begin < zone.end) {
    address.replace(zone.begin, zone.end - zone.begin, "%" + zone.name);
    url.host.erase(zone.begin, zone.end - zone.begin);  // it means nothing to the server
  }
  url.server = AddressSpec::parse(address, AddressRole::client, usual);
  return url;
}

HttpUrl target_of(const Values& values) {
  HttpUrl url = parse_http_url(values.text("URL"));
  url.server.family = values.family();
  url.server.sources = values.sources();
  return url;
}

std::string without_passwords(std::string_view text) {
  std::string out;
  while (true) {
    const std::size_t start = std::min(text.find("//"), text.size());
    const std::size_t begin = std::min(start + 2, text.size());
    const std::string_view authority =
        text.substr(begin, text.find_first_of("/?#'", begin) - begin);
    out += text.substr(0, begin);
    if (begin == text.size()) return out;
    const std::size_t at = authority.rfind('@');
    const std::size_t colon = authority.find(':');
    if (at != std::string_view::npos && colon < at) {
      out.append(authority.substr(0, colon)).append(authority.substr(at));
    } else {
      out += authority;
    }
    text.remove_prefix(begin + authority.size());
  }
}

}  // namespace netkit::sse
