// Durations as people write them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// Reads `500ms`, `5s`, `2m`, `1.5h`, also `d`, `us`, `ns`; a bare number is seconds; `none` is
// kNever. Decimals are exact down to a nanosecond, what is finer is cut off. Nothing for anything
// else: a sign, white space, another unit, more than 292 years. Any thread, as all of these.
NETKIT_API std::optional<Duration> read_duration(std::string_view text);

// The same, but throws UsageError: "'5x' is not a duration (write 500ms, 5s, 2m, 1.5h or none)".
NETKIT_API Duration parse_duration(std::string_view text);

// In the largest unit that needs at most one decimal: `90s` is `1.5m`, `1250ms` stays. Reading it
// gives the same duration again. Negative durations have a `-`.
NETKIT_API std::string format_duration(Duration duration);

}  // namespace netkit
