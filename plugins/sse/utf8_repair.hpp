// UTF-8 decoding with replacement, as browsers do it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace netkit::sse {

// Puts `bytes` into `out`, with U+FFFD for what is not UTF-8: one for each maximal subpart, as the
// Encoding standard's "UTF-8 decoder" has it. False, with `out` cut short, when that would be more
// than `limit` bytes. Any thread.
bool repair_utf8(std::string& out, std::string_view bytes, std::size_t limit);

}  // namespace netkit::sse
