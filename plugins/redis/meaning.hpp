// What Redis means by an error, in half a sentence. Pure; any thread.
#pragma once

#include <string_view>

namespace netkit::redis {

// Why it does not serve for now; empty: it is no such error.
std::string_view why_unavailable(std::string_view error);
// Why it takes nothing; empty: it is no such error.
std::string_view why_refused(std::string_view error);

}  // namespace netkit::redis
