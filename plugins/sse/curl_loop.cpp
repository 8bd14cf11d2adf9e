#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <optional>
#include <sse/curl_loop.hpp>
#include <sse/http_url.hpp>
#include <sse/request_options.hpp>
#include <string>

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <netkit/http/http_text.hpp>
#include <netkit/tls/tls.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/quantity.hpp>
#include <netkit/util/text.hpp>

namespace netkit::sse {
namespace {

Interest interest_of(int what) {
  switch (what) {
    case CURL_POLL_IN:
      return Interest::read;
    case CURL_POLL_OUT:
      return Interest::write;
    case CURL_POLL_INOUT:
      return Interest::both;
    default:
      return Interest::none;
  }
}

// Any other header may carry a secret, such as an x-api-key.
constexpr std::array<std::string_view, 26> kHarmless = {"accept",
                                                        "accept-encoding",
                                                        "accept-language",
                                                        "access-control-allow-origin",
                                                        "allow",
                                                        "cache-control",
                                                        "connection",
                                                        "content-encoding",
                                                        "content-length",
                                                        "content-type",
                                                        "date",
                                                        "expect",
                                                        "host",
                                                        "keep-alive",
                                                        "last-event-id",
                                                        "location",
                                                        "retry-after",
                                                        "server",
                                                        "te",
                                                        "transfer-encoding",
                                                        "upgrade",
                                                        "user-agent",
                                                        "vary",
                                                        "via",
                                                        "x-accel-buffering",
                                                        "x-content-type-options"};

// One line of a head as it may be shown: `authorization:` without its value.
std::string_view shown_header(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return line;
  const bool is_harmless = std::ranges::any_of(kHarmless, [&](std::string_view name) {
    return http::equal_without_case(name, line.substr(0, colon));
  });
  return is_harmless ? line : line.substr(0, colon + 1);
}

void log_head(const Log& log, std::string_view direction, std::string_view head) {
  while (!head.empty()) {
    const std::size_t end = std::min(head.find('\n'), head.size());
    const std::string_view line = trim_white_space(head.substr(0, end));
    if (!line.empty())
      log.protocol(fmt::format("{}{}", direction, without_passwords(shown_header(line))));
    head.remove_prefix(std::min(end + 1, head.size()));
  }
}

int trace(CURL*, curl_infotype type, char* data, std::size_t size, void* log_pointer) {
  const Log& log = *static_cast<const Log*>(log_pointer);
  const std::string_view bytes(data, size);
  if (type == CURLINFO_HEADER_OUT) log_head(log, "to server: ", bytes);
  if (type == CURLINFO_HEADER_IN) log_head(log, "from server: ", bytes);
  if (type == CURLINFO_DATA_OUT) log.hex("to server: body", bytes);
  if (type == CURLINFO_DATA_IN) log.hex("from server: body", bytes);
  return 0;
}

// Remembers the alert that came, for CurlLoop::tls_alert().
void on_tls_event(const SSL* ssl, int where, int alert) {
  if (where != SSL_CB_READ_ALERT) return;
  *static_cast<int*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl))) = alert & 0xFF;
}

// libcurl 7.88 reads on for as long as frames of HTTP/2 come that are none of a body, and neither
// timers nor signals are looked at meanwhile. So many records of TLS (of 16 KiB at most) may come
// in one go without any of a body; then the connection has come to its end.
constexpr std::size_t kMostRecords = 1000;

void on_tls_message(int is_sent, int /*version*/, int type, const void* /*bytes*/,
                    std::size_t /*size*/, SSL* ssl, void* records) {
  if (is_sent != 0 || type != SSL3_RT_HEADER) return;
  if (++*static_cast<std::size_t*>(records) > kMostRecords) {
    SSL_set_shutdown(ssl, SSL_get_shutdown(ssl) | SSL_RECEIVED_SHUTDOWN);
  }
}

}  // namespace

CurlLoop::CurlLoop(EventLoop& loop, const Log& log) : loop_(loop), log_(log), multi_(nullptr) {
  make_key_log_file();  // curl would let others read it
  if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) multi_ = curl_multi_init();
  if (multi_ == nullptr) throw Error(ExitStatus::fault, "libcurl cannot be initialised");
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlLoop::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlLoop::on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
}

CurlLoop::~CurlLoop() {
  curl_multi_cleanup(multi_);
}

void CurlLoop::add(CURL* easy, Handler& handler) {
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &handler);
  if (log_.enabled(LogLevel::protocol)) {
    curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, &trace);
    curl_easy_setopt(easy, CURLOPT_DEBUGDATA, const_cast<Log*>(&log_));
    curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
  }
  tls_alerts_[easy] = 0;
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, &watch_tls);
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, this);
  curl_multi_add_handle(multi_, easy);
}

CURLcode CurlLoop::watch_tls(CURL* easy, void* ssl_context, void* self) {
  auto& loop = *static_cast<CurlLoop*>(self);
  auto* const context = static_cast<SSL_CTX*>(ssl_context);
  SSL_CTX_set_app_data(context, &loop.tls_alerts_[easy]);
  SSL_CTX_set_info_callback(context, &on_tls_event);
  SSL_CTX_set_msg_callback(context, &on_tls_message);
  SSL_CTX_set_msg_callback_arg(context, &loop.records_);
  return CURLE_OK;
}

bool CurlLoop::is_flooded() const {
  return records_ > kMostRecords;
}

void CurlLoop::remove(CURL* easy) {
  curl_multi_remove_handle(multi_, easy);
}

int CurlLoop::on_socket(CURL*, curl_socket_t fd, int what, void* self, void*) {
  auto& loop = *static_cast<CurlLoop*>(self);
  if (what == CURL_POLL_REMOVE) {
    loop.watches_.erase(fd);
    return 0;
  }
  Watch& watch = loop.watches_[fd];
  if (watch) {
    watch.set(interest_of(what));
    return 0;
  }
  watch = loop.loop_.watch(fd, interest_of(what), [&loop, fd](Ready ready) {
    loop.act(fd, (ready.readable ? CURL_CSELECT_IN : 0) | (ready.writable ? CURL_CSELECT_OUT : 0) |
                     (ready.error ? CURL_CSELECT_ERR : 0));
  });
  return 0;
}

int CurlLoop::on_timer(CURLM*, long milliseconds, void* self) {
  auto& loop = *static_cast<CurlLoop*>(self);
  if (milliseconds < 0) {
    loop.timer_.reset();
  } else {
    loop.timer_ = loop.loop_.after(std::chrono::milliseconds(milliseconds),
                                   [&loop] { loop.act(CURL_SOCKET_TIMEOUT, 0); });
  }
  return 0;
}

void CurlLoop::act(curl_socket_t fd, int events) {
  int running = 0;
  records_ = 0;
  curl_multi_socket_action(multi_, fd, events, &running);
  report_ended();
}

void CurlLoop::report_ended() {
  int queued = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &queued)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* const easy = message->easy_handle;
    const CURLcode code = message->data.result;
    char* handler = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &handler);
    curl_multi_remove_handle(multi_, easy);
    reinterpret_cast<Handler*>(handler)->on_transfer_end(code);
  }
}

namespace {

// In TLS 1.3 the client's certificate is judged after the client's handshake: the alert comes as an
// error of the first read.
bool is_certificate_refused(int alert) {
  switch (alert) {
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_CERTIFICATE_REQUIRED:
      return true;
    default:
      return false;
  }
}

Failure of_handshake(const std::string& text, int os_error) {
  if (os_error != 0) {
    return {ExitStatus::unreachable, "the TLS handshake failed: " + error_text(os_error), false};
  }
  return {ExitStatus::protocol, "the TLS handshake failed: " + text, true};
}

Failure long_line() {
  return {ExitStatus::protocol, "a header line of the response is longer than 100k", true};
}

// The first time the name was probably mistyped; later the network is down. `text` is "Could not
// resolve host: NAME".
Failure unresolved(std::string_view whose, std::string_view text, bool is_first) {
  const std::size_t colon = text.find(": ");
  const std::string_view name = colon == std::string_view::npos ? text : text.substr(colon + 2);
  return {ExitStatus::name, fmt::format("cannot resolve the name of the {}: {}", whose, name),
          is_first};
}

// A proxy that does not let through to the server: its answer to CONNECT.
Failure of_proxy(long status) {
  const bool later = judge(static_cast<int>(status), {}) == Answer::later;
  if (status == 407) {
    return {ExitStatus::permission,
            "the proxy answered 407 to CONNECT: put the login into NETKIT_SSE_PROXY, as "
            "http://NAME:PASSWORD@HOST:PORT",
            true};
  }
  return {later ? ExitStatus::unreachable : ExitStatus::protocol,
          fmt::format("the proxy answered {} to CONNECT", status), !later};
}

// The replies of RFC 1928, and those to a login.
Failure of_socks(long answer, const std::string& text) {
  switch (answer) {
    case CURLPX_NO_AUTH:
      return {ExitStatus::permission, "the proxy requires another login", true};
    case CURLPX_USER_REJECTED:
      return {ExitStatus::permission, "the proxy refused the login", true};
    case CURLPX_REPLY_NOT_ALLOWED:
      return {ExitStatus::permission, "the proxy forbids the connection", true};
    case CURLPX_REPLY_CONNECTION_REFUSED:
      return {ExitStatus::unreachable, "the proxy answered: connection refused", false};
    case CURLPX_REPLY_HOST_UNREACHABLE:
      return {ExitStatus::unreachable, "the proxy answered: no route to host", false};
    case CURLPX_REPLY_NETWORK_UNREACHABLE:
      return {ExitStatus::unreachable, "the proxy answered: network is unreachable", false};
    case CURLPX_REPLY_TTL_EXPIRED:
      return {ExitStatus::unreachable, "the proxy answered: TTL expired", false};
    case CURLPX_REPLY_GENERAL_SERVER_FAILURE:
      return {ExitStatus::unreachable, "the proxy answered: general failure", false};
    case CURLPX_REPLY_ADDRESS_TYPE_NOT_SUPPORTED:
      return {ExitStatus::protocol, "the proxy does not support this type of address", true};
    case CURLPX_REPLY_COMMAND_NOT_SUPPORTED:
      return {ExitStatus::protocol, "the proxy does not support connections", true};
    case CURLPX_BAD_VERSION:
      return {ExitStatus::protocol, "the proxy does not speak SOCKS", true};
    default:
      return {ExitStatus::unreachable, "the proxy refused the connection: " + text, false};
  }
}

Failure not_connected(const CurlError& error, const std::string& text) {
  // The environment names an unusable proxy.
  if (!error.has_looked && error.os_error == 0) return {ExitStatus::config, text, true};
  if (error.os_error == EINVAL) {
    return {ExitStatus::unreachable,
            "cannot connect: invalid argument (a link-local address needs its interface: write "
            "[fe80::1%25eth0])",
            true};
  }
  return {ExitStatus::unreachable,
          "cannot connect: " + (error.os_error != 0 ? error_text(error.os_error) : text), false};
}

// Errors that are known more precisely than libcurl's code tells.
std::optional<Failure> of_what_was_seen(const CurlError& error, const std::string& text) {
  if (error.connect_answer >= 300) return of_proxy(error.connect_answer);
  if (is_certificate_refused(error.tls_alert)) {
    return Failure{ExitStatus::permission,
                   "the server does not accept the client's certificate: " + text, true};
  }
  if (!error.is_flooded) return std::nullopt;
  return Failure{ExitStatus::protocol,
                 "the server sends frames of HTTP/2 without end instead of a body", false};
}

}  // namespace

Failure failure_of(const CurlError& error) {
  const std::string text = escaped_text(
      without_passwords(error.detail.empty() ? curl_easy_strerror(error.code) : error.detail));
  if (auto seen = of_what_was_seen(error, text)) return *std::move(seen);
  switch (error.code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return unresolved("server", text, error.is_first);
    case CURLE_COULDNT_RESOLVE_PROXY:
      if (!error.has_looked) return {ExitStatus::config, text, true};
      return unresolved("proxy", text, error.is_first);
    case CURLE_COULDNT_CONNECT:
      return not_connected(error, text);
    case CURLE_PROXY:
      return of_socks(error.socks_answer, text);
    case CURLE_OPERATION_TIMEDOUT:
      return {ExitStatus::unreachable,
              fmt::format("no connection within {} (--connect-timeout)",
                          format_duration(error.connect_timeout)),
              false};
    case CURLE_PEER_FAILED_VERIFICATION:
      return {ExitStatus::permission, "the certificate is not trusted: " + text, true};
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return {ExitStatus::config, text, true};
    case CURLE_SSL_CONNECT_ERROR:
      return of_handshake(text, error.os_error);
    case CURLE_GOT_NOTHING:
      return {ExitStatus::unreachable, "the server closed the connection without a response",
              false};
    case CURLE_PARTIAL_FILE:
      return {ExitStatus::unreachable, "the server aborted the stream", false};
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
      return {ExitStatus::protocol, "the server does not speak HTTP: " + text, true};
    case CURLE_OUT_OF_MEMORY:
      // libcurl's message about a header line that is too long for it.
      if (error.was_sent) return long_line();
      break;
#if LIBCURL_VERSION_NUM >= 0x080600
    case CURLE_TOO_LARGE:
      return long_line();
#endif
    case CURLE_WRITE_ERROR:
      // Our callbacks accepted everything, so this is data after the end of the compressed body.
      return {ExitStatus::unreachable, "the rest of the response cannot be decompressed", false};
    case CURLE_BAD_CONTENT_ENCODING:
      return {ExitStatus::protocol, "the response cannot be decompressed: " + text, true};
    case CURLE_URL_MALFORMAT:
      return {ExitStatus::protocol, text, true};
    default:
      break;
  }
  return {ExitStatus::unreachable, "the connection is lost: " + text, false};
}

}  // namespace netkit::sse
