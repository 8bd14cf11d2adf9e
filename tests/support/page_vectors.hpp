// The test vectors of netkit-protocol(7), for tests that run in the source tree.
#pragma once

#include <fstream>
#include <map>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace netkit::test {

// What the page shows by name: lines `WORD NAME:`, each followed by lines of two spaces and
// hexadecimal digits.
inline std::map<std::string, std::string> page_vectors(std::string_view word) {
  std::ifstream page("man/netkit-protocol.7");
  EXPECT_TRUE(page) << "to be run in the source tree";
  const std::string begin = std::string(word) + ' ';
  std::map<std::string, std::string> vectors;
  std::string line;
  std::string name;
  while (std::getline(page, line)) {
    if (line.starts_with(begin) && line.ends_with(':')) {
      name = line.substr(begin.size(), line.size() - begin.size() - 1);
    } else if (!name.empty() && line.starts_with("  ")) {
      for (const char c : line) {
        if (c != ' ') vectors[name].push_back(c);
      }
    } else {
      name.clear();
    }
  }
  return vectors;
}

inline std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out.push_back(kDigits[static_cast<unsigned char>(c) >> 4U]);
    out.push_back(kDigits[static_cast<unsigned char>(c) & 15U]);
  }
  return out;
}

}  // namespace netkit::test
