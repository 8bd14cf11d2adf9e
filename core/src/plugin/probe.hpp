// Trying a plugin where it can do no harm.
#pragma once

#include <string>

#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// Loads the plugin in a child process, makes it and looks at its declarations. The sentence that
// says what is wrong, to stand after its path: what a check said, "crashed while it loaded:
// segmentation fault", "did not finish loading in 10s", "ended the process while it loaded". Empty:
// it is well. Does the checks that need no code first, in this process. Throws SystemError where no
// child can be made. [main thread, no other thread running]
NETKIT_API std::string probe_plugin(const std::string& path, Duration limit);

}  // namespace netkit
