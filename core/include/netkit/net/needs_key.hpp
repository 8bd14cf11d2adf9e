// What servers that serve only who has a pre-shared key tell the others.
#pragma once

#include <string_view>

namespace netkit {

// Words for it.
inline constexpr std::string_view kNeedsKey = "this server requires a key (--psk-file)";
// By TCP, in clear, to who begins with anything but TLS: an alert of TLS, unknown_psk_identity, and
// fatal.
inline constexpr std::string_view kNeedsKeyAlert{"\x15\x03\x03\x00\x02\x02\x73", 7};

}  // namespace netkit
