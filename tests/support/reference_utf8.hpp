// UTF-8 as RFC 3629's grammar (section 4) has it, written out row by row: slow, plain, and unlike
// the code that it checks.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace netkit::test {

struct ByteRange {
  unsigned low;
  unsigned high;
};

inline bool starts_with_ranges(std::string_view text, const std::vector<ByteRange>& ranges) {
  if (text.size() < ranges.size()) return false;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < ranges[i].low || byte > ranges[i].high) return false;
  }
  return true;
}

inline bool reference_is_utf8(std::string_view text) {
  static const std::vector<std::vector<ByteRange>> kGrammar{
      {{0x00, 0x7F}},
      {{0xC2, 0xDF}, {0x80, 0xBF}},
      {{0xE0, 0xE0}, {0xA0, 0xBF}, {0x80, 0xBF}},
      {{0xE1, 0xEC}, {0x80, 0xBF}, {0x80, 0xBF}},
      {{0xED, 0xED}, {0x80, 0x9F}, {0x80, 0xBF}},
      {{0xEE, 0xEF}, {0x80, 0xBF}, {0x80, 0xBF}},
      {{0xF0, 0xF0}, {0x90, 0xBF}, {0x80, 0xBF}, {0x80, 0xBF}},
      {{0xF1, 0xF3}, {0x80, 0xBF}, {0x80, 0xBF}, {0x80, 0xBF}},
      {{0xF4, 0xF4}, {0x80, 0x8F}, {0x80, 0xBF}, {0x80, 0xBF}}};
  while (!text.empty()) {
    std::size_t length = 0;
    for (const auto& row : kGrammar) {
      if (starts_with_ranges(text, row)) length = row.size();
    }
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace netkit::test
