// What skip_printable_blocks() chooses from, so that tests see each on one machine.
#pragma once

#include <span>

#include <netkit/util/export.hpp>

namespace netkit {

using SkipPrintable = const char* (*)(const char* at, const char* end);

// Those that this processor can, the narrowest first.
NETKIT_API std::span<const SkipPrintable> ways_to_skip_printable();

}  // namespace netkit
