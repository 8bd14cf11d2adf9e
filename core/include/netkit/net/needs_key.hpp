// What a server that serves only peers with a pre-shared key tells all others.
#pragma once

#include <string_view>

namespace netkit {

// As text.
inline constexpr std::string_view kNeedsKey = "this server requires a key (--psk-file)";
// Over TCP, in clear, to a peer that begins with anything but TLS: the fatal TLS alert
// unknown_psk_identity.
inline constexpr std::string_view kNeedsKeyAlert{"\x15\x03\x03\x00\x02\x02\x73", 7};

}  // namespace netkit
