// The syntax of HTTP's heads, whose letters are ASCII whatever the locale. Any thread, like
// everything here.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit::http {

inline char lower_letter(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

inline bool equal_without_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower_letter(x) == lower_letter(y); });
}

// RFC 9110, section 5.6.2.
inline bool is_token(std::string_view text) {
  const auto is_token_char = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

// Of printable ASCII without the space, as the target of a request is.
inline bool is_visible_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}
inline constexpr std::string_view kNotEncoded =
    "the request target has bytes that must be percent-encoded";

// The part of `Name: value` before the colon; all of it without one.
inline std::string_view header_name(std::string_view header) {
  return header.substr(0, header.find(':'));
}

// Without spaces and TABs at both ends.
NETKIT_API std::string_view trim_blanks(std::string_view text);
// Takes the next item, without blanks, from the front of a comma-separated list, which must not be
// empty.
NETKIT_API std::string_view take_list_item(std::string_view& list);

// A path as RFC 3986, section 6.2.2, compares it: escapes in upper case, and none of what needs
// none. curl asks for `/%c3%a9` where a browser asks for `/%C3%A9`.
NETKIT_API std::string normal_path(std::string_view path);

// `Fri, 20 Nov 2026 15:12:29 GMT` (RFC 9110, section 5.6.7).
NETKIT_API std::string format_date(WallTime time);

// An origin as browsers send it: in lower case, without the usual port of its scheme. `text` is
// what a person writes for it, also as an address bar shows it, with a slash at its end; `*` and
// `null` stay what they are. Throws UsageError: "--cors: 'a' is not an origin (write …)".
NETKIT_API std::string checked_origin(std::string_view text);

// Which hosts may ask a server that has no other guard (HttpRoutes::Options::permits_host). A page
// can have its own name resolve to the address of a server that it cannot reach otherwise, and then
// read it as its own origin; Host has that name. So only these pass: addresses, names without a
// dot, which no page on the internet has, `localhost` and what is below it, the name of this
// machine, alone and with `.local`, and `names`; no name at all passes, too. Each may have a port.
NETKIT_API std::function<bool(std::string_view host)> own_hosts(std::vector<std::string> names);

}  // namespace netkit::http
