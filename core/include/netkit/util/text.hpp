// Bytes of peers as text for people: what is UTF-8, and what may be shown on a terminal.
#pragma once

#include <string>
#include <string_view>

#include <netkit/util/export.hpp>

namespace netkit {

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. Any thread, as all of these.
NETKIT_API bool is_valid_utf8(std::string_view bytes);

// Appends `bytes` so that a terminal shows them and does nothing else. C0 but TAB (and LF where
// `keep_lf`), DEL, U+0080 to U+009F, bidirectional controls (U+061C, U+200E/F, U+202A to E, U+2066
// to 9), the line and paragraph separators U+2028/9, and bytes that are not UTF-8 become `\xhh` per
// byte, lower case; the rest is copied. Bytes are judged by what this call is given: a sequence
// that is cut at the end is escaped. Allocates nothing but the growth of `out`.
NETKIT_API void escape_text(std::string& out, std::string_view bytes, bool keep_lf);
NETKIT_API std::string escaped_text(std::string_view bytes, bool keep_lf = false);
// Whether escape_text() would append `bytes` as they are.
NETKIT_API bool is_shown_unchanged(std::string_view bytes, bool keep_lf);

// Without the ASCII white space (space, TAB, LF, VT, FF, CR) at both ends.
NETKIT_API std::string_view trim_white_space(std::string_view text);

}  // namespace netkit
