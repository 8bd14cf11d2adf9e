// Serial lines.
#pragma once

#include "net/tcp_stream.hpp"

#include <functional>
#include <memory>

#include <netkit/net/address_spec.hpp>

namespace netkit {

// Opens the line for this process alone and sets it up as `line` says, without flow control.
// Throws SystemError (69, 77).
FileDescriptor open_serial_line(const AddressSpec& line);

// [loop] An open line. If it vanishes (an adapter is unplugged, the other side of a pseudo-terminal
// closes) it ends with ENODEV: a line has no end of its own. `on_destroyed`, which may be empty, is
// told whether that has happened.
std::unique_ptr<ByteStream> make_serial_stream(
    EventLoop& loop, FileDescriptor line, ByteStream::Handler& handler,
    std::function<void(bool vanished)> on_destroyed = {});

}  // namespace netkit
