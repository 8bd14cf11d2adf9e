// What both ends report about a handshake with pre-shared keys that fails, over TLS and DTLS alike.
// Pure; any thread. Without fmt, which netkit/tls.so does not need otherwise.
#pragma once

#include <string>
#include <string_view>

#include <netkit/net/needs_key.hpp>

namespace netkit::key_refusal {

// About a client, at the server.
inline constexpr std::string_view kNoCipher =
    "it has no pre-shared key, or there is no cipher in common";
inline std::string in_clear() {
  return std::string("it is not encrypted, but ").append(kNeedsKey);
}
inline std::string unknown_identity(std::string_view identity) {
  return std::string("there is no key of '").append(identity).append("'");
}
inline std::string wrong_key(std::string_view identity) {
  return std::string("its key of '").append(identity).append("' is wrong");
}

// About the server, at a client.
inline constexpr std::string_view kServerHasNoKeys =
    "refused: the server has no keys (--psk-file), or no cipher in common";
inline std::string unknown_to_server(std::string_view identity) {
  return std::string("refused: the server has no key of '").append(identity).append("'");
}
inline std::string other_key_at_server(std::string_view identity) {
  return std::string("refused: the server has another key of '").append(identity).append("'");
}

}  // namespace netkit::key_refusal
