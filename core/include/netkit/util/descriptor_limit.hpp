// How many descriptors the process may have open.
#pragma once

#include <cstddef>

#include <netkit/util/export.hpp>

namespace netkit {

// Raises the soft limit to the hard one, as servers with many clients want it, and returns the
// limit there is then. Never fails: what cannot be raised stays. Not for programs that use
// select(2). Before threads are started.
NETKIT_API std::size_t raise_descriptor_limit();

}  // namespace netkit
