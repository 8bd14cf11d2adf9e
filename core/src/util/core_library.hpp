// Parts of core that are separate libraries, so that what they need is loaded only when it is used.
#pragma once

#include <string>

namespace netkit {

// The address of `symbol` in netkit/NAME.so beside libnetkit-core.so, which is loaded for it and
// stays. Throws Error (ExitStatus::fault) that says why it cannot be. Any thread.
void* core_library_symbol(const std::string& name, const char* symbol);

}  // namespace netkit
