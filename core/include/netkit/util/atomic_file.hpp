// Replacing a file's content so that nobody ever sees half of it.
#pragma once

#include <string>
#include <string_view>

#include <netkit/util/export.hpp>

namespace netkit {

// Writes `content` to a new file (0600) in the same folder, syncs it, and renames it to `path`, so
// that after a crash there is the old content or the new. A symbolic link is followed. What is
// there and is no regular file (a device, a pipe) is written to as it is. Returns 0 or an errno;
// then the old content is still there and nothing is left behind. Any thread.
NETKIT_API int write_file_atomically(const std::string& path, std::string_view content);

}  // namespace netkit
