// Big-endian numbers in and out of byte strings. No bounds are checked here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace netkit::datagram {

template <typename Number>
inline Number get(const char* at) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    value = value << 8 | static_cast<unsigned char>(at[i]);
  }
  return static_cast<Number>(value);
}

template <typename Number>
inline void put(char* at, Number number) {
  auto value = static_cast<std::uint64_t>(number);
  for (std::size_t i = sizeof(Number); i-- > 0; value >>= 8) {
    at[i] = static_cast<char>(value & 0xff);
  }
}

template <typename Number>
inline void append(std::string& out, Number number) {
  char bytes[sizeof(Number)];
  put(bytes, number);
  out.append(bytes, sizeof bytes);
}

}  // namespace netkit::datagram
