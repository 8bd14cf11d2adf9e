// What a user says about the requests of `sse read`.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/cli/values.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/net/endpoint.hpp>
#include <netkit/tls/tls.hpp>
#include <netkit/util/clock.hpp>

namespace netkit::sse {

struct RequestOptions {
  std::vector<std::string> headers;  // `Name: value`
  std::string method;                // empty: GET, or POST with data
  std::optional<std::string> data;
  bool is_json = false;  // what data is
  std::string accept = "text/event-stream";
  std::string user;
  std::string password;
  std::string bearer;
  bool netrc = false;
  TlsClientOptions tls;
  std::string proxy;
  std::string unix_socket;
  AddressFamily family = AddressFamily::any;
  std::vector<Endpoint> sources;  // to connect from
  Duration connect_timeout = std::chrono::seconds(10);

  // GET and HEAD: it may be made again and again.
  bool is_safe() const;
  // Whether one of the given headers has that name, compared without case.
  bool has_header(std::string_view name) const;
};

// What the options say, without the content of files. Throws UsageError.
RequestOptions request_options(const Values& values);

// Reads what --data @FILE, --password-file and --bearer-file name, and looks through the files of
// TLS. Throws SystemError, Error.
void load_files(RequestOptions& options, const Values& values);

// The URL with its scheme, http:// where none is given; `8000/path` and `:8000/path` are on this
// machine. Throws UsageError for what is no http(s) URL, for a host of digits alone, which would be
// taken for an address far away, and for a password in it.
std::string checked_url(const std::string& text);

// Throws Error where the host of `url` is an address that is not of `family`.
void check_family(const std::string& url, AddressFamily family);

// Scheme, host and port of a URL that libcurl understands, with the scheme's usual port filled in;
// empty for others.
std::string origin_of(const std::string& url);

// What a request for the URL begins with in HTTP/1.1, up to the end of its head, without anything
// secret.
std::string plain_request(const std::string& method, const std::string& url);

// `location`, which may be relative, as seen from `base`; none when it is no URL.
std::optional<std::string> resolved_url(const std::string& base, const std::string& location);

// The URL as it is asked for, with the name of its host in ASCII (RFC 5890); empty where the host
// can be no name.
std::string ascii_url(const std::string& url);

}  // namespace netkit::sse
