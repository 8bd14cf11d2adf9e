// The scan that most text passes whole: printable ASCII, a block at a time.
#pragma once

#include <netkit/util/export.hpp>

namespace netkit {

// 0x20 to 0x7E.
constexpr bool is_printable(char byte) {
  return byte >= 0x20 && byte < 0x7F;
}

// skip_printable() without its first look; by the widest registers that this processor has.
NETKIT_API const char* skip_printable_blocks(const char* at, const char* end);

// The first byte in [at, end) that is not printable, else `end`. Any thread.
inline const char* skip_printable(const char* at, const char* end) {
  if (at == end || !is_printable(*at)) return at;
  return skip_printable_blocks(at, end);
}

}  // namespace netkit
