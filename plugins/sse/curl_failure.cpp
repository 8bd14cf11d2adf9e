#include <sse/curl_failure.hpp>
#include <sse/request_options.hpp>
#include <string>

#include <netkit/util/duration.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit::sse {
namespace {

// In TLS 1.3 the client's certificate is judged after the client's handshake: the alert comes as an
// error of the first read.
bool is_certificate_refused(std::string_view text) {
  const auto has = [text](std::string_view word) {
    return text.find(word) != std::string_view::npos;
  };
  return has(" alert ") && (has("certificate") || has("unknown ca") || has("access denied"));
}

Failure of_handshake(const std::string& text, int os_error) {
  if (os_error != 0) {
    return {ExitStatus::unreachable, "the TLS handshake failed: " + error_text(os_error), false};
  }
  return {ExitStatus::protocol, "the TLS handshake failed: " + text, true};
}

// "Could not resolve host: NAME" and "Could not resolve proxy: NAME".
std::string unresolved(std::string_view text) {
  const std::size_t colon = text.find(": ");
  if (colon == std::string_view::npos) return "cannot resolve the name: " + std::string(text);
  const bool proxy = text.substr(0, colon).ends_with("proxy");
  return std::string("cannot resolve the name of the ") + (proxy ? "proxy" : "server") + ": " +
         std::string(text.substr(colon + 2));
}

}  // namespace

Failure failure_of_proxy(long status) {
  const bool later = judge(static_cast<int>(status), {}) == Answer::later;
  return {later ? ExitStatus::unreachable : ExitStatus::protocol,
          "the proxy answered " + std::to_string(status) + " to CONNECT", !later};
}

// The replies of RFC 1928, and those to a login.
Failure failure_of_socks(long answer, std::string_view detail) {
  switch (answer) {
    case CURLPX_NO_AUTH:
      return {ExitStatus::permission, "the proxy wants another login", true};
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
      return {ExitStatus::protocol, "the proxy takes no address of this kind", true};
    case CURLPX_REPLY_COMMAND_NOT_SUPPORTED:
      return {ExitStatus::protocol, "the proxy makes no connections", true};
    case CURLPX_BAD_VERSION:
      return {ExitStatus::protocol, "what came is no answer of a SOCKS proxy", true};
    default:
      return {ExitStatus::unreachable,
              "the proxy does not let through: " + escaped_text(without_passwords(detail)), false};
  }
}

Failure failure_of(CURLcode code, std::string_view detail, int os_error, bool first,
                   Duration connect_timeout) {
  const std::string text =
      escaped_text(without_passwords(detail.empty() ? curl_easy_strerror(code) : detail));
  if (is_certificate_refused(text)) {
    return {ExitStatus::permission, "the server wants another certificate of the client: " + text,
            true};
  }
  if (text.starts_with("Unsupported proxy")) return {ExitStatus::config, text, true};
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      // At first it is a name that was mistyped; later the network is away.
      return {ExitStatus::name, unresolved(text), first};
    case CURLE_COULDNT_CONNECT:
      return {ExitStatus::unreachable,
              "cannot connect: " + (os_error != 0 ? error_text(os_error) : text), false};
    case CURLE_OPERATION_TIMEDOUT:
      return {ExitStatus::unreachable,
              "connecting took longer than " + format_duration(connect_timeout) +
                  " (--connect-timeout)",
              false};
    case CURLE_PEER_FAILED_VERIFICATION:
      return {ExitStatus::permission, "the certificate is not to be trusted: " + text, true};
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return {ExitStatus::config, text, true};
    case CURLE_SSL_CONNECT_ERROR:
      return of_handshake(text, os_error);
    case CURLE_GOT_NOTHING:
      return {ExitStatus::unreachable, "the server closed the connection without an answer", false};
    case CURLE_PARTIAL_FILE:
      return {ExitStatus::unreachable, "the server broke off the stream", false};
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
      return {ExitStatus::protocol, "what came is no answer of HTTP: " + text, true};
    case CURLE_WRITE_ERROR:
      // What was given to us was taken: it is in front of that, behind the end of the compression.
      return {ExitStatus::unreachable, "the rest of the answer cannot be decompressed", false};
    case CURLE_BAD_CONTENT_ENCODING:
      return {ExitStatus::protocol, "the answer cannot be decompressed: " + text, true};
    case CURLE_URL_MALFORMAT:
      return {ExitStatus::protocol, text, true};
    default:
      return {ExitStatus::unreachable, "the connection is lost: " + text, false};
  }
}

}  // namespace netkit::sse
