// The words of JSON texts (RFC 8259): where a string, a number or a name ends, and what a string
// says. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace netkit::sse::json {

// Each takes the word at the front of what is between `at` and `end`, which is not empty, and
// returns where it ends; null: it is none.
const char* skip_number(const char* at, const char* end);
const char* skip_name(const char* at, const char* end);  // true, false, null

// A string without its quotes. Its bytes are not looked at beyond what JSON asks for: they need not
// be UTF-8, as the halves of a surrogate need to be together.
struct String {
  std::string_view text{};  // as it stands there
  bool has_escapes = false;

  // What it says; in `room` where it has escapes.
  std::string_view value(std::string& room) const;
};
// `at` is its first quote.
const char* take_string(const char* at, const char* end, String& string);

inline const char* skip_blanks(const char* at, const char* end) {
  while (at != end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')) ++at;
  return at;
}

}  // namespace netkit::sse::json
