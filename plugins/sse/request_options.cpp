#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <sse/ascii.hpp>
#include <sse/request_options.hpp>
#include <unistd.h>

#include <curl/curl.h>

#include <netkit/util/error.hpp>
#include <netkit/util/file_descriptor.hpp>
#include <netkit/util/size.hpp>
#include <netkit/util/text.hpp>

namespace netkit::sse {
namespace {

constexpr std::size_t kMaxSecret = 65536;
constexpr std::size_t kMaxBody = std::size_t{64} << 20U;

using Url = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

Url parse_url(const std::string& text, unsigned flags = 0) {
  Url url(curl_url(), &curl_url_cleanup);
  if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), flags) != CURLUE_OK) url.reset();
  return url;
}

std::string part_of(const Url& url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (!url || curl_url_get(url.get(), part, &text, flags) != CURLUE_OK) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F;
  });
}

std::string checked_header(const std::string& header) {
  const std::size_t colon = header.find(':');
  if (colon == 0 || colon == std::string::npos || has_control(header)) {
    throw UsageError("-H: '" + escaped_text(header) + "' is not a header (write 'Name: value')");
  }
  return header;
}

std::string checked_proxy(const Values& values) {
  constexpr std::array<std::string_view, 6> kSchemes{"http",    "https",  "socks4",
                                                     "socks4a", "socks5", "socks5h"};
  const std::string text = values.text("proxy");
  if (text.empty()) return text;
  const std::string full = text.find("://") == std::string::npos ? "http://" + text : text;
  const Url url = parse_url(full, CURLU_NON_SUPPORT_SCHEME);
  if (std::ranges::find(kSchemes, part_of(url, CURLUPART_SCHEME)) == kSchemes.end()) {
    throw UsageError("--proxy: '" + escaped_text(text) +
                     "' is not a proxy (write http://HOST:PORT, https:// or socks5://)");
  }
  if (!part_of(url, CURLUPART_PASSWORD).empty() &&
      values.origin("proxy") == Values::Origin::command_line) {
    throw UsageError(
        "--proxy: a password on the command line is seen by everybody: set NETKIT_SSE_PROXY");
  }
  return text;
}

std::string read_file(const std::string& path, std::size_t limit, const std::string& option) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) throw SystemError(errno, option + ": cannot read '" + path + "'");
  std::string content;
  std::array<char, 16384> chunk{};
  while (true) {
    const ssize_t count = ::read(file.get(), chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw SystemError(errno, option + ": cannot read '" + path + "'");
    if (count == 0) return content;
    content.append(chunk.data(), static_cast<std::size_t>(count));
    if (content.size() > limit) {
      throw UsageError(option + ": '" + path + "' is larger than " + format_size(limit));
    }
  }
}

std::string read_secret(const Values& values, const std::string& option) {
  const std::string path = values.text(option);
  const std::string content = read_file(path, kMaxSecret, "--" + option);
  const std::string_view secret = trim_white_space(content);
  if (secret.empty() || has_control(secret)) {
    throw Error(ExitStatus::config, "--" + option + ": '" + path + "' does not hold one line");
  }
  return std::string(secret);
}

}  // namespace

bool RequestOptions::has_header(std::string_view name) const {
  return std::ranges::any_of(headers, [name](std::string_view header) {
    return equal_without_case(trim_white_space(header.substr(0, header.find(':'))), name);
  });
}

RequestOptions request_options(const Values& values) {
  RequestOptions options;
  for (const std::string& header : values.texts("header")) {
    options.headers.push_back(checked_header(header));
  }
  options.method = values.text("request");
  const auto is_letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
  if (!std::ranges::all_of(options.method, is_letter)) {
    throw UsageError("-X: '" + escaped_text(options.method) + "' is not a method");
  }
  options.user = values.text("user");
  if (options.user.empty() != !values.has("password-file")) {
    throw UsageError("a login needs both --user and --password-file");
  }
  if (!options.user.empty() && values.has("bearer-file")) {
    throw UsageError("--user and --bearer-file exclude each other");
  }
  options.netrc = values.flag("netrc");
  options.ca_file = values.text("cacert");
  options.cert_file = values.text("cert");
  options.key_file = values.text("key");
  if (options.cert_file.empty() != options.key_file.empty()) {
    throw UsageError("a client certificate needs both --cert and --key");
  }
  options.insecure = values.flag("insecure");
  options.proxy = checked_proxy(values);
  options.unix_socket = values.text("unix-socket");
  options.connect_timeout = values.duration("connect-timeout");
  return options;
}

void load_files(RequestOptions& options, const Values& values) {
  if (values.has("data")) {
    const std::string data = values.text("data");
    options.data = data.starts_with('@') ? read_file(data.substr(1), kMaxBody, "--data") : data;
  }
  if (values.has("password-file")) options.password = read_secret(values, "password-file");
  if (values.has("bearer-file")) options.bearer = read_secret(values, "bearer-file");
}

std::string checked_url(const std::string& text) {
  std::string full = text.find("://") == std::string::npos ? "http://" + text : text;
  const Url url = parse_url(full);
  const std::string scheme = part_of(url, CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") {
    throw UsageError("'" + escaped_text(text) +
                     "' is not a URL (write http://HOST/PATH or https://)");
  }
  if (!part_of(url, CURLUPART_PASSWORD).empty()) {
    throw UsageError("a password in a URL is seen by everybody: use --user and --password-file");
  }
  return full;
}

std::string origin_of(const std::string& url) {
  const Url parsed = parse_url(url);
  const std::string host = part_of(parsed, CURLUPART_HOST);
  if (host.empty()) return {};
  std::string lower = host;
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  return part_of(parsed, CURLUPART_SCHEME) + "://" + lower + ":" +
         part_of(parsed, CURLUPART_PORT, CURLU_DEFAULT_PORT);
}

std::string resolved_url(const std::string& base, const std::string& location) {
  const Url url = parse_url(base);
  if (!url || curl_url_set(url.get(), CURLUPART_URL, location.c_str(),
                           CURLU_NON_SUPPORT_SCHEME | CURLU_URLENCODE) != CURLUE_OK) {
    return location;
  }
  return part_of(url, CURLUPART_URL);
}

}  // namespace netkit::sse
