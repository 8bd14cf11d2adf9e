// The beginning of a text that may be too long to be shown whole.
#pragma once

#include <cstddef>
#include <string_view>

namespace netkit {

// At most `most` bytes of the front, less where a character of UTF-8 would be cut. Of what is not
// UTF-8, up to three bytes fewer. Any thread.
inline std::string_view excerpt(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  const auto is_within = [text](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
  };
  std::size_t end = most;
  while (end > 0 && most - end < 3 && is_within(end)) --end;
  return text.substr(0, end);
}

}  // namespace netkit
