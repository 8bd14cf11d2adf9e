// URLs where netkit itself speaks HTTP, and what all of sse completes in them.
#pragma once

#include <string>
#include <string_view>

#include <netkit/cli/values.hpp>
#include <netkit/net/address_spec.hpp>

namespace netkit::sse {

struct HttpUrl {
  bool is_tls = false;
  AddressSpec server;
  std::string host;  // as Host has it
  std::string path;  // with the query; begins with a slash
};

// Adds http:// where there is no scheme; `8000/path` and `:8000/path` are of this machine. Throws
// UsageError for a WebSocket. Any thread.
std::string completed_url(std::string_view text);

// Throws UsageError for what is no http(s) URL, and for one with a login. Any thread.
HttpUrl parse_http_url(std::string_view text);

// The argument URL, to be reached as -4, -6 and --bind say. Throws UsageError. Any thread.
HttpUrl target_of(const Values& values);

// Text for people, without the passwords of the URLs in it. Any thread.
std::string without_passwords(std::string_view text);

}  // namespace netkit::sse
