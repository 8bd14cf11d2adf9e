// Addresses that were typed at the shell's prompt.
#pragma once

#include <string>
#include <vector>

namespace netkit {

// From the history of `netkit shell`, the latest first, each once, at most twenty: words with a
// port in figures, and ports that stand where a command's address does.
std::vector<std::string> recent_addresses();

}  // namespace netkit
