// Texts as nghttp2 has them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace netkit {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// nghttp2 only reads them, whatever its types say.
inline std::uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
}

}  // namespace netkit
