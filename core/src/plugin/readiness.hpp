// Telling others that a server listens, and that it stops: --ready-fd and systemd.
#pragma once

#include <string>
#include <string_view>

#include <netkit/util/export.hpp>

namespace netkit {

// Writes `lines` to the descriptor and closes it. Returns 0 or an errno.
NETKIT_API int write_and_close(int fd, std::string_view lines);

// Sends `state` (`READY=1`) to the socket that NOTIFY_SOCKET names, as sd_notify(3) does; nothing
// where it is not set. A manager that does not listen is no error.
NETKIT_API void notify_manager(std::string_view state);

}  // namespace netkit
