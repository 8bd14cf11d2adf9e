// Sizes in bytes as people write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <netkit/util/export.hpp>

namespace netkit {

// Reads `1200`, `64k`, `1M`, `1.5G`: powers of 1024 with `k`, `K`, `M`, `G`, `T`, and `B` or `iB`
// after them if one likes (`64kB`, `64KiB`, `100B`). Nothing for anything else: a sign, white
// space, another unit, 2^63 or more. Any thread, as all of these.
NETKIT_API std::optional<std::uint64_t> read_size(std::string_view text);

// The same, but throws UsageError: "'5x' is not a size (write 1200, 64k, 1M or 2G)".
NETKIT_API std::uint64_t parse_size(std::string_view text);

// In the largest unit of which it is a whole multiple: `64k`, `1M`, `1200`. Reading it gives the
// same size again.
NETKIT_API std::string format_size(std::uint64_t bytes);

}  // namespace netkit
