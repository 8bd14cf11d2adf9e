// The values of --cors.
#pragma once

#include <string>
#include <string_view>

namespace netkit::sse {

// The origin as browsers send it: in lower case, without the usual port of its scheme. `text` is
// what a person writes for it, also as an address bar shows it, with a slash at its end; `*` and
// `null` stay what they are. Throws UsageError. Any thread.
std::string checked_origin(std::string_view text);

}  // namespace netkit::sse
