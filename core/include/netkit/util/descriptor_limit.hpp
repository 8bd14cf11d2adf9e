// How many descriptors the process may have open.
#pragma once

#include <cstddef>
#include <cstdint>

#include <netkit/util/export.hpp>

namespace netkit {

// Raises the soft limit to the hard one where it is under `wanted`, as servers with many clients
// have it, and returns the limit there is then. Never fails: what cannot be raised stays. Not for
// programs that use select(2). Before threads are started.
NETKIT_API std::size_t raise_descriptor_limit(std::size_t wanted = SIZE_MAX);

}  // namespace netkit
