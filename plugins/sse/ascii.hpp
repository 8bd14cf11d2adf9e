// Protocol words, whose letters are ASCII whatever the locale.
#pragma once

#include <algorithm>
#include <string_view>

namespace netkit::sse {

inline char lower_letter(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

inline bool equal_without_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower_letter(x) == lower_letter(y); });
}

// RFC 9110, section 5.6.2.
inline bool is_token(std::string_view text) {
  const auto is_token_char = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

// What is before the colon of `Name: value`; all where there is none.
inline std::string_view header_name(std::string_view header) {
  return header.substr(0, header.find(':'));
}

}  // namespace netkit::sse
