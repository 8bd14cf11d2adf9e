// The meaning of Redis' errors, in half a sentence. Pure; any thread.
#pragma once

#include <string_view>

namespace netkit::redis {

// Why it is unavailable for now; empty: it is no such error.
std::string_view why_unavailable(std::string_view error);
// Why it accepts no writes; empty: it is no such error.
std::string_view why_refused(std::string_view error);

}  // namespace netkit::redis
