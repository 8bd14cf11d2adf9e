// Commands that are executables `netkit-NAME` on PATH, for other languages.
#pragma once

#include <span>
#include <string>

namespace netkit {

// Becomes the executable, with `words` as its arguments, default signal actions and no signal
// blocked. Returns only where there is no such executable; throws SystemError where it cannot be
// run.
void run_external(const std::string& name, std::span<const std::string> words);

}  // namespace netkit
