#include <algorithm>
#include <array>
#include <clocale>
#include <memory>
#include <sse/http_url.hpp>
#include <sse/request_options.hpp>
#include <unistd.h>

#include <curl/curl.h>
#include <fmt/format.h>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/http/http_text.hpp>
#include <netkit/util/digits.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/quantity.hpp>
#include <netkit/util/text.hpp>

namespace netkit::sse {
namespace {

constexpr std::size_t kMaxBody = std::size_t{64} << 20U;

using Url = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

Url parse_url(const std::string& text, unsigned flags = 0) {
  Url url(curl_url(), &curl_url_cleanup);
  if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), flags) != CURLUE_OK) url.reset();
  return url;
}

std::string part_of(const Url& url, CURLUPart part, unsigned flags = 0) {
  if (!url) return {};
  char* text = nullptr;
  const bool found = curl_url_get(url.get(), part, &text, flags) == CURLUE_OK;
  // A host that cannot be written in ASCII leaves one behind as well.
  const std::unique_ptr<char, decltype(&curl_free)> owner(text, &curl_free);
  return found ? text : "";
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F;
  });
}

std::string checked_header(const std::string& header) {
  if (header.find(':') == std::string::npos || !http::is_token(http::header_name(header)) ||
      has_control(header)) {
    throw UsageError("-H: '" + escaped_text(header) + "' is not a header (write 'Name: value')");
  }
  // It would be sent again and again, whatever came since.
  if (http::equal_without_case(http::header_name(header), "Last-Event-ID")) {
    throw UsageError("-H: Last-Event-ID changes with each event: use --last-event-id");
  }
  return header;
}

std::string checked_proxy(const Values& values) {
  constexpr std::array<std::string_view, 6> kSchemes{"http",    "https",  "socks4",
                                                     "socks4a", "socks5", "socks5h"};
  std::string text = values.text("proxy");
  if (text.empty()) return text;
  const std::string full = text.find("://") == std::string::npos ? "http://" + text : text;
  const Url url = parse_url(full, CURLU_NON_SUPPORT_SCHEME);
  if (std::ranges::find(kSchemes, part_of(url, CURLUPART_SCHEME)) == kSchemes.end()) {
    throw UsageError("--proxy: '" + escaped_text(without_passwords(text)) +
                     "' is not a proxy (write http://HOST:PORT, https:// or socks5://)");
  }
  if (!part_of(url, CURLUPART_PASSWORD).empty() &&
      values.origin("proxy") == Values::Origin::command_line) {
    throw UsageError(
        "--proxy: a password on the command line is visible to other users: set NETKIT_SSE_PROXY");
  }
  return text;
}

// `D`, `@FILE`, or `@-` for stdin.
std::string read_body(const std::string& data, std::string_view option) {
  if (!data.starts_with('@')) return data;
  const std::string path = data.substr(1);
  if (path != "-") return content_of(read_file(path, kMaxBody), path, kMaxBody, option);
  return content_of(read_file(STDIN_FILENO, kMaxBody), "standard input", kMaxBody, option);
}

// For as long as it lives, this thread's text is UTF-8: libcurl takes names for text of the locale.
class Utf8Names {
 public:
  Utf8Names()
      : locale_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)), before_(::uselocale(locale_)) {}
  ~Utf8Names() {
    ::uselocale(before_);
    if (locale_ != nullptr) ::freelocale(locale_);
  }
  Utf8Names(const Utf8Names&) = delete;
  Utf8Names& operator=(const Utf8Names&) = delete;

 private:
  locale_t locale_;  // null: there is none, and nothing changes
  locale_t before_;
};

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

bool RequestOptions::is_safe() const {
  return method.empty() ? !data : method == "GET" || method == "HEAD";
}

bool RequestOptions::has_header(std::string_view name) const {
  return std::ranges::any_of(headers, [name](std::string_view header) {
    return http::equal_without_case(http::header_name(header), name);
  });
}

RequestOptions request_options(const Values& values) {
  RequestOptions options;
  for (const std::string& header : values.texts("header")) {
    options.headers.push_back(checked_header(header));
  }
  options.method = values.text("request");
  if (!options.method.empty() && !http::is_token(options.method)) {
    throw UsageError("-X: '" + escaped_text(options.method) + "' is not a method");
  }
  options.is_json = values.has("json-body");
  // What it says is read in load_files().
  if (values.has("data") || options.is_json) options.data.emplace();
  options.user = values.text("user");
  options.netrc = values.flag("netrc");
  options.tls = tls_client(values);
  options.proxy = checked_proxy(values);
  options.unix_socket = values.text("unix-socket");
  options.family = values.family();
  options.sources = values.sources();
  options.connect_timeout = values.duration("connect-timeout");
  return options;
}

void load_files(RequestOptions& options, const Values& values) {
  if (values.has("data")) options.data = read_body(values.text("data"), "--data");
  if (options.is_json) options.data = read_body(values.text("json-body"), "--json-body");
  // libcurl would look at the files only once it is connected, say little of what is wrong with
  // them, and ask for the passphrase of a key.
  if (!options.tls.ca_file.empty() || !options.tls.cert_file.empty()) {
    TlsContext::client(options.tls);
  }
  if (values.has("password-file")) options.password = secret_of(values, "password-file");
  if (values.has("bearer-file")) options.bearer = secret_of(values, "bearer-file");
}

std::string checked_url(const std::string& text) {
  const bool has_scheme = text.find("://") != std::string::npos;
  std::string full = completed_url(text);
  const Url url = parse_url(full);
  const std::string scheme = part_of(url, CURLUPART_SCHEME);
  // libcurl would take the host from the path, and for a host what is before a single slash.
  const bool lacks_host =
      !has_scheme && (text.starts_with('/') || text.find(":/") < text.find('/'));
  if ((scheme != "http" && scheme != "https") || lacks_host || ascii_url(full).empty()) {
    throw UsageError("'" + escaped_text(without_passwords(text)) +
                     "' is not a URL (write http://HOST/PATH or https://)");
  }
  const std::string_view after_scheme = std::string_view(full).substr(full.find("://") + 3);
  const std::string_view host = after_scheme.substr(0, after_scheme.find_first_of(":/?#"));
  if (is_digits(host)) {
    throw UsageError(fmt::format("'{}' has a number in place of a host (write http://127.0.0.1:{})",
                                 escaped_text(text), host));
  }
  if (!part_of(url, CURLUPART_PASSWORD).empty()) {
    throw UsageError(
        "a password in a URL is visible to other users: use --user and --password-file");
  }
  return full;
}

std::string ascii_url(const std::string& url) {
  if (is_ascii(url)) return url;
  const Utf8Names names;
  const Url parsed = parse_url(url);
  const std::string host = part_of(parsed, CURLUPART_HOST, CURLU_PUNYCODE);
  if (host.empty() || curl_url_set(parsed.get(), CURLUPART_HOST, host.c_str(), 0) != CURLUE_OK) {
    return {};
  }
  return part_of(parsed, CURLUPART_URL);
}

void check_family(const std::string& url, AddressFamily family) {
  std::string host = part_of(parse_url(url), CURLUPART_HOST);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::parse(host);
  if (family == AddressFamily::any || !address) return;
  if (address->is_v4() == (family == AddressFamily::v4)) return;
  throw Error(ExitStatus::unreachable,
              fmt::format("{} is not an IPv{} address", host, family == AddressFamily::v4 ? 4 : 6));
}

std::string origin_of(const std::string& url) {
  const Url parsed = parse_url(url);
  const std::string host = part_of(parsed, CURLUPART_HOST);
  if (host.empty()) return {};
  std::string lower = host;
  std::ranges::transform(lower, lower.begin(), http::lower_letter);
  return part_of(parsed, CURLUPART_SCHEME) + "://" + lower + ":" +
         part_of(parsed, CURLUPART_PORT, CURLU_DEFAULT_PORT);
}

std::string plain_request(const std::string& method, const std::string& url) {
  const Url parsed = parse_url(url);
  const std::string query = part_of(parsed, CURLUPART_QUERY);
  const std::string port = part_of(parsed, CURLUPART_PORT);
  return fmt::format("{} {}{}{} HTTP/1.1\r\nHost: {}{}{}\r\n\r\n", method,
                     part_of(parsed, CURLUPART_PATH), query.empty() ? "" : "?", query,
                     part_of(parsed, CURLUPART_HOST), port.empty() ? "" : ":", port);
}

std::optional<std::string> resolved_url(const std::string& base, const std::string& location) {
  if (location.empty()) return base;
  const Url url = parse_url(base);
  if (!url || curl_url_set(url.get(), CURLUPART_URL, location.c_str(),
                           CURLU_NON_SUPPORT_SCHEME | CURLU_URLENCODE) != CURLUE_OK) {
    return std::nullopt;
  }
  return part_of(url, CURLUPART_URL);
}

}  // namespace netkit::sse
