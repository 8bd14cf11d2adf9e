#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <new>
#include <sse/http_exchange.hpp>
#include <sse/http_url.hpp>
#include <sys/socket.h>

#include <fmt/format.h>

#include <netkit/http/http_text.hpp>
#include <netkit/util/text.hpp>

namespace netkit::sse {
namespace {

constexpr unsigned kMaxRedirects = 20;
constexpr std::size_t kMaxHead = std::size_t{256} << 10U;
// Larger ones need fewer calls, but do not stay in the cache with what is made of them.
constexpr long kReadBuffer = 256L << 10U;
// The kernel would let a fast server run ahead by tens of megabytes, which leave the cache before
// they are read. It takes this for the order of magnitude, and makes the most that a window can
// ever be from it: 2 MiB, enough for 20 MiB a second from the other side of the world.
constexpr int kReceiveWindow = 1 << 20;

long info(CURL* easy, CURLINFO what) {
  long value = 0;
  curl_easy_getinfo(easy, what, &value);
  return value;
}

std::string text_info(CURL* easy, CURLINFO what) {
  char* text = nullptr;
  curl_easy_getinfo(easy, what, &text);
  return text != nullptr ? text : "";
}

std::optional<Endpoint> peer_of(CURL* easy) {
  const auto address = IpAddress::parse(text_info(easy, CURLINFO_PRIMARY_IP));
  if (!address) return std::nullopt;
  return Endpoint(*address, static_cast<std::uint16_t>(info(easy, CURLINFO_PRIMARY_PORT)));
}

int set_flag(void* /*resolver*/, void* /*reserved*/, void* flag) {
  *static_cast<bool*>(flag) = true;
  return 0;
}

// Other sockets than TCP refuse it and need none.
int limit_window(void* /*self*/, curl_socket_t fd, curlsocktype /*purpose*/) {
  ::setsockopt(fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, &kReceiveWindow, sizeof(kReceiveWindow));
  return CURL_SOCKOPT_OK;
}

bool is_redirect(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::optional<std::string> header_of(CURL* easy, const char* name) {
  curl_header* header = nullptr;
  if (curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK) return std::nullopt;
  return std::string(trim_white_space(header->value));
}

// What describes a body, and goes with it where a redirect drops it (https://fetch.spec.whatwg.org,
// request-body-header name).
bool describes_body(std::string_view header) {
  constexpr std::array<std::string_view, 5> kNames{
      "content-encoding", "content-language", "content-length", "content-location", "content-type"};
  return std::ranges::any_of(kNames, [header](std::string_view name) {
    return http::equal_without_case(http::header_name(header), name);
  });
}

}  // namespace

HttpExchange::HttpExchange(CurlLoop& curl, const RequestOptions& options, Handler& handler)
    : curl_(curl),
      options_(options),
      handler_(handler),
      easy_(curl_easy_init()),
      error_(CURL_ERROR_SIZE) {
  if (easy_ == nullptr) throw std::bad_alloc();
}

HttpExchange::~HttpExchange() {
  cancel();
  curl_easy_cleanup(easy_);
}

void HttpExchange::start(const std::string& url, std::string_view last_event_id) {
  cancel();
  url_ = url;
  origin_ = origin_of(url);
  last_event_id_ = last_event_id;
  redirects_ = 0;
  same_origin_ = true;
  as_get_ = false;
  request();
}

void HttpExchange::cancel() {
  if (!active_) return;
  active_ = false;
  curl_.remove(easy_);
}

bool HttpExchange::was_sent() const {
  return redirects_ > 0 || info(easy_, CURLINFO_REQUEST_SIZE) > 0;
}

void HttpExchange::request() {
  head_.clear();
  stopped_ = too_large_ = has_looked_ = false;
  location_.reset();
  error_[0] = '\0';
  curl_easy_reset(easy_);
  curl_easy_setopt(easy_, CURLOPT_URL, ascii_url(url_).c_str());
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &HttpExchange::take_header);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &HttpExchange::take_body);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, error_.data());
  set_connection();
  set_method();
  set_credentials();
  set_headers();
  active_ = true;
  curl_.add(easy_, *this);
}

void HttpExchange::set_connection() {
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy_, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  curl_easy_setopt(easy_, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy_, CURLOPT_ACCEPT_ENCODING, "");
  curl_easy_setopt(easy_, CURLOPT_BUFFERSIZE, kReadBuffer);
  curl_easy_setopt(easy_, CURLOPT_TCP_KEEPALIVE, 1L);
  // On a connection that was used before, libcurl sends by itself once more what gets no answer.
  if (!options_.is_safe()) curl_easy_setopt(easy_, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(easy_, CURLOPT_SOCKOPTFUNCTION, &limit_window);
  curl_easy_setopt(easy_, CURLOPT_RESOLVER_START_FUNCTION, &set_flag);
  curl_easy_setopt(easy_, CURLOPT_RESOLVER_START_DATA, &has_looked_);
  const auto patience =
      std::chrono::duration_cast<std::chrono::milliseconds>(options_.connect_timeout).count();
  // Without a limit: curl's own one is 300 seconds.
  const bool limited = patience < std::numeric_limits<int>::max();
  curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS,
                   limited ? std::max<long>(patience, 1) : std::numeric_limits<int>::max());
  if (options_.family != AddressFamily::any) {
    curl_easy_setopt(easy_, CURLOPT_IPRESOLVE,
                     options_.family == AddressFamily::v4 ? CURL_IPRESOLVE_V4 : CURL_IPRESOLVE_V6);
  }
  if (!options_.sources.empty()) {
    const Endpoint& source = options_.sources.front();
    if (!source.address().is_unspecified()) {
      curl_easy_setopt(easy_, CURLOPT_INTERFACE, source.address().to_string().c_str());
    }
    curl_easy_setopt(easy_, CURLOPT_LOCALPORT, static_cast<long>(source.port()));
  }
  if (!options_.proxy.empty()) curl_easy_setopt(easy_, CURLOPT_PROXY, options_.proxy.c_str());
  if (!options_.unix_socket.empty() && same_origin_) {
    curl_easy_setopt(easy_, CURLOPT_UNIX_SOCKET_PATH, options_.unix_socket.c_str());
  }
  if (!options_.tls.ca_file.empty())
    curl_easy_setopt(easy_, CURLOPT_CAINFO, options_.tls.ca_file.c_str());
  if (options_.tls.insecure) {
    curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYHOST, 0L);
  }
}

void HttpExchange::set_method() {
  if (as_get_) return;
  if (options_.data) {
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(options_.data->size()));
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, options_.data->c_str());
  }
  if (!options_.method.empty()) {
    curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, options_.method.c_str());
  }
  // Otherwise libcurl waits for a body, however long the response says it is.
  if (options_.method == "HEAD" && !options_.data) curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
}

void HttpExchange::set_credentials() {
  if (options_.netrc) {
    curl_easy_setopt(easy_, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_OPTIONAL));
  }
  if (!same_origin_) return;
  if (!options_.user.empty()) {
    curl_easy_setopt(easy_, CURLOPT_USERNAME, options_.user.c_str());
    curl_easy_setopt(easy_, CURLOPT_PASSWORD, options_.password.c_str());
  }
  if (!options_.bearer.empty()) {
    curl_easy_setopt(easy_, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BEARER));
    curl_easy_setopt(easy_, CURLOPT_XOAUTH2_BEARER, options_.bearer.c_str());
  }
  if (!options_.tls.cert_file.empty()) {
    curl_easy_setopt(easy_, CURLOPT_SSLCERT, options_.tls.cert_file.c_str());
    curl_easy_setopt(easy_, CURLOPT_SSLKEY, options_.tls.key_file.c_str());
  }
}

void HttpExchange::set_headers() {
  curl_slist* list = nullptr;
  const auto add = [&list](const std::string& header) {
    curl_slist* const longer = curl_slist_append(list, header.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    list = longer;
  };
  const auto add_default = [&](std::string_view name, std::string_view value) {
    if (same_origin_ && options_.has_header(name)) return;
    add(fmt::format("{}: {}", name, value));
  };
  add_default("Accept", options_.accept);
  if (options_.is_json && !as_get_) add_default("Content-Type", "application/json");
  add_default("Cache-Control", "no-cache");
  add_default("User-Agent", "netkit");
  add("Expect:");
  if (!last_event_id_.empty()) add_default("Last-Event-ID", last_event_id_);
  if (same_origin_) {
    for (const std::string& header : options_.headers) {
      if (!as_get_ || !describes_body(header)) add(header);
    }
  }
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, list);
  headers_.reset(list);
}

std::size_t HttpExchange::take_header(char* data, std::size_t size, std::size_t count, void* self) {
  const std::string_view line(data, size * count);
  return static_cast<HttpExchange*>(self)->on_header_line(line) ? line.size() : 0;
}

bool HttpExchange::on_header_line(std::string_view line) {
  // A head that is followed by another one: of an interim answer, or of the proxy.
  if (line.starts_with("HTTP/")) head_.clear();
  head_ += line;
  too_large_ = head_.size() > kMaxHead;
  if (too_large_) return false;
  const bool is_end = line == "\r\n" || line == "\n";
  return !is_end || on_head_end();
}

// False: nothing of the body is wanted.
bool HttpExchange::on_head_end() {
  const long status = info(easy_, CURLINFO_RESPONSE_CODE);
  constexpr long kSwitchingProtocols = 101;  // unlike the others below 200, it is the last answer
  if (status < 200 && status != kSwitchingProtocols) return true;
  answered_ = true;
  location_ = is_redirect(status) ? header_of(easy_, "Location") : std::nullopt;
  // Its body, which may never come, is not waited for; without one the connection is reused.
  if (location_) return header_of(easy_, "Content-Length") == "0";
  curl_off_t retry_after = 0;
  curl_easy_getinfo(easy_, CURLINFO_RETRY_AFTER, &retry_after);
  constexpr curl_off_t kLongest = 366L * 86400L;
  const std::string content_type = text_info(easy_, CURLINFO_CONTENT_TYPE);
  const std::string_view lines = std::string_view(head_).substr(head_.find('\n') + 1);
  handler_.on_head({static_cast<int>(status), content_type, lines,
                    std::chrono::seconds(std::min(retry_after, kLongest)), peer_of(easy_)});
  return true;
}

std::size_t HttpExchange::take_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& exchange = *static_cast<HttpExchange*>(self);
  const std::string_view bytes(data, size * count);
  exchange.curl_.note_body();
  if (exchange.handler_.on_body(bytes)) return bytes.size();
  exchange.stopped_ = true;
  return 0;
}

void HttpExchange::on_transfer_end(CURLcode code) {
  active_ = false;
  if (location_) return redirect();
  if (stopped_ || code == CURLE_OK) return end({});
  if (too_large_) {
    return end(Failure{ExitStatus::protocol, "the response head is larger than 256k", true});
  }
  end(failure_of({.code = code,
                  .detail = error_.data(),
                  .os_error = static_cast<int>(info(easy_, CURLINFO_OS_ERRNO)),
                  .tls_alert = curl_.tls_alert(easy_),
                  .connect_answer = info(easy_, CURLINFO_HTTP_CONNECTCODE),
                  .socks_answer = info(easy_, CURLINFO_PROXY_ERROR),
                  .has_looked = has_looked_,
                  .was_sent = was_sent(),
                  .is_flooded = curl_.is_flooded(),
                  .is_first = !answered_,
                  .connect_timeout = options_.connect_timeout}));
}

void HttpExchange::redirect() {
  const long status = info(easy_, CURLINFO_RESPONSE_CODE);
  const std::optional<std::string> target = resolved_url(url_, *location_);
  if (++redirects_ > kMaxRedirects) {
    return end(Failure{ExitStatus::protocol, "redirected more than 20 times", true});
  }
  const auto refuse = [this](std::string_view what, const std::string& where) {
    end(Failure{ExitStatus::protocol,
                fmt::format("redirected to {1}, {0}", what, escaped_text(without_passwords(where))),
                true});
  };
  if (!target) return refuse("which is not a URL", *location_);
  if (!target->starts_with("http://") && !target->starts_with("https://")) {
    return refuse("which is neither http nor https", *target);
  }
  const bool is_post = options_.method.empty() || options_.method == "POST";
  if (status == 303 || ((status == 301 || status == 302) && is_post)) as_get_ = true;
  url_ = *target;
  same_origin_ = same_origin_ && origin_of(url_) == origin_;
  request();
}

void HttpExchange::end(const std::optional<Failure>& failure) {
  handler_.on_exchange_end(failure);
}

}  // namespace netkit::sse
