// Bytes as text: hexadecimal and base64 (RFC 4648).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <netkit/util/export.hpp>

namespace netkit {

// Lower case, two digits per byte. Any thread, like everything here.
NETKIT_API std::string encode_hex(std::string_view bytes);
NETKIT_API void append_hex(std::string& out, std::string_view bytes);

// Both cases; blanks and colons may separate bytes. Nothing if a digit is missing or invalid.
NETKIT_API std::optional<std::string> decode_hex(std::string_view text);

// Appends the base64 of `bytes` with padding, without line breaks.
NETKIT_API void append_base64(std::string& out, std::string_view bytes);

// The standard alphabet; the padding may be left out. None for anything else, bits that are left
// over included, so that each byte string has one text.
NETKIT_API std::optional<std::string> decode_base64(std::string_view text);

}  // namespace netkit
