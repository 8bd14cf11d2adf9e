#include <algorithm>
#include <sse/http_url.hpp>

#include <fmt/format.h>

#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit::sse {
namespace {

bool is_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string completed_url(std::string_view text) {
  if (text.find("://") != std::string_view::npos) return std::string(text);
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
  if (!is_http || url.host.empty() || is_digits(url.host) || url.host.find('@') != url.host.npos) {
    throw UsageError(fmt::format("'{}' is not a URL without a login (write http://HOST:PORT/PATH)",
                                 escaped_text(text)));
  }
  url.path = rest.substr(url.host.size(), rest.find('#') - url.host.size());
  if (!url.path.starts_with('/')) url.path.insert(0, "/");
  const std::uint16_t usual = url.is_tls ? 443 : 80;
  url.server = AddressSpec::parse(url.host, AddressRole::client, usual);
  return url;
}

HttpUrl target_of(const Values& values) {
  HttpUrl url = parse_http_url(values.text("URL"));
  url.server.family = values.family();
  url.server.sources = values.sources();
  return url;
}

}  // namespace netkit::sse
