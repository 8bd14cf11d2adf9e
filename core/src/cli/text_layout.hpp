// Text in columns for help.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <netkit/util/export.hpp>

namespace netkit {

inline constexpr std::size_t kHelpWidth = 80;

// How many columns UTF-8 text takes, a column a code point.
NETKIT_API std::size_t columns(std::string_view text);

// Appends `text` with every line indented by `indent` and at most kHelpWidth columns wide, broken
// at spaces; a word that is wider stands alone. Empty lines part paragraphs. The first line
// continues where `out` already has `at` columns.
NETKIT_API void append_wrapped(std::string& out, std::string_view text, std::size_t indent,
                               std::size_t at = 0);

// Appends a row of two columns: `left` indented by two, `right` wrapped from column `split` on;
// where `left` is too wide, `right` begins on a line of its own.
NETKIT_API void append_row(std::string& out, std::string_view left, std::string_view right,
                           std::size_t split);

}  // namespace netkit
