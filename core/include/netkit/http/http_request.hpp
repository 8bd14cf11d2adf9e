// A request as received.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/net/endpoint.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

class HeldBytes;

struct HttpLimits {
  std::size_t max_line = 8192;   // the request line, and each header line
  std::size_t max_headers = 64;  // how many header lines
  std::size_t max_head = 32768;  // all together
  // Where no method can be longer, what is longer is not HTTP (400) rather than a line that is too
  // long (414, 431).
  std::size_t max_method = SIZE_MAX;
  // RFC 9112, section 3.2: HTTP/1.1 has exactly one Host, older versions at most one. False: the
  // routes check whether there is one.
  bool host_is_needed = true;
  // The largest body; 413 above. 0: none is read, and a request that has one is the connection's
  // last.
  std::size_t max_body = 0;
  // Counts the bodies, and outlives the requests; 503 if it has no room. Null: bodies are not
  // counted.
  HeldBytes* bodies = nullptr;
};

struct HttpHeader {
  std::string_view name;   // as it came
  std::string_view value;  // without white space around it
};

// Views that are valid while the request is being answered.
struct NETKIT_API HttpRequest {
  std::string_view method;  // as it came; methods are case-sensitive
  std::string_view path;    // percent-encoded, without the query; "*" for `OPTIONS *`
  std::string_view query;   // without the question mark
  int minor_version = 1;    // of HTTP/1.x
  bool keep_alive = true;
  std::vector<HttpHeader> headers;
  std::string_view body;  // where max_body lets it be read
  Endpoint peer;          // who asks

  // The first header of that name, compared without case.
  std::optional<std::string_view> header(std::string_view name) const;
  // The first `name=` of the query, percent-decoded; `+` is a space.
  std::optional<std::string> parameter(std::string_view name) const;
  // Whether Accept names this media type itself; wildcards do not count.
  bool accepts(std::string_view media_type) const;
};

}  // namespace netkit
