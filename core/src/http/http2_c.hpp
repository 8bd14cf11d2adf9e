// What nghttp2, which is C, takes and may be called from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <nghttp2/nghttp2.h>
#include <string_view>
#include <sys/types.h>

namespace netkit {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// nghttp2 only reads them, whatever its types say.
inline std::uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
}

// Nothing may be thrown through it: for its callbacks.
template <typename Work>
int within_c(Work&& work) noexcept {
  try {
    work();
    return 0;
  } catch (...) {  // bad_alloc
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }
}

// What nghttp2 returns where it, or one of the callbacks, has run out of memory.
inline void check_memory(ssize_t result) {
  if (result == NGHTTP2_ERR_NOMEM || result == NGHTTP2_ERR_CALLBACK_FAILURE) {
    throw std::bad_alloc();
  }
}

}  // namespace netkit
