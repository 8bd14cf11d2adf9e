// What the terminal at a descriptor can do.
#pragma once

#include <cstddef>
#include <optional>

#include <netkit/util/export.hpp>

namespace netkit {

// Whether `fd` is a terminal that understands escape sequences: TERM is set, and not to `dumb`. Any
// thread as long as none changes the environment.
NETKIT_API bool takes_escapes(int fd);
// The same, and NO_COLOR is not set or is empty (no-color.org).
NETKIT_API bool takes_colors(int fd);

// The columns of the terminal's window; none if `fd` is not a terminal, or is one that does not
// know. Any thread.
NETKIT_API std::optional<std::size_t> terminal_columns(int fd);

}  // namespace netkit
