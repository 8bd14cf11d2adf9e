// The two sides of HTTP/2, which are in a library of their own.
#include "http/http2_session.hpp"
#include "util/core_library.hpp"

#include <netkit/http/http2_client.hpp>

namespace netkit {

std::unique_ptr<Http2Session> Http2Session::make(Handler& handler, const Options& options) {
  static const auto entry =
      reinterpret_cast<Http2LibraryEntry>(core_library_symbol("http2", kHttp2LibraryEntry));
  return std::unique_ptr<Http2Session>(entry(handler, options));
}

std::unique_ptr<Http2Client> Http2Client::make(Handler& handler) {
  static const auto entry =
      reinterpret_cast<Http2ClientEntry>(core_library_symbol("http2", kHttp2ClientEntry));
  return std::unique_ptr<Http2Client>(entry(handler));
}

}  // namespace netkit
