// Unix sockets, by their path.
#pragma once

#include <string>

#include <netkit/util/file.hpp>

namespace netkit {

// A connected, non-blocking stream socket. Throws SystemError (69, 77).
FileDescriptor connect_unix(const std::string& path);

// A listening, non-blocking one, for its owner alone (0600). A socket that a process left behind is
// replaced; one that somebody listens on is "address in use". Throws SystemError.
FileDescriptor listen_unix(const std::string& path);

}  // namespace netkit
