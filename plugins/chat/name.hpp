// Names of members.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace netkit::chat {

inline constexpr std::size_t kMaxName = 64;

// Nothing is wrong with it: empty. Otherwise why it cannot be a name, as half a sentence: "is
// longer than 64 bytes". A name is 1 to 64 bytes of UTF-8 without control, line-breaking and
// bidirectional characters, without white space at its ends, does not begin with a slash and is no
// address.
std::string_view why_not_a_name(std::string_view name);

// $USER, or what the system calls this user, or `guest`; always a name.
std::string default_name();

}  // namespace netkit::chat
