// Where a terminal breaks a long line.
#pragma once

#include <string_view>

#include <netkit/util/export.hpp>

namespace netkit {

// How many rows the cursor is below the first one once `text` was typed at a terminal `columns`
// (at least 2) wide. Control characters take two columns, as readline shows them; a wide character
// that does not fit begins the next row. By the characters of the locale (LC_CTYPE). [one thread]
NETKIT_API int wrapped_rows(std::string_view text, int columns);

}  // namespace netkit
