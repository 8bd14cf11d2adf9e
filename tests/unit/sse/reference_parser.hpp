// The WHATWG standard's algorithm for event streams, as slow and as close to its words as can be:
// decode all, split into lines, interpret. What EventParser is held against.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace netkit::sse::reference {

struct Result {
  std::vector<std::string> steps;  // "event TYPE|DATA|ID", "retry N", "comment TEXT"
  std::string last_event_id;
  bool operator==(const Result&) const = default;
};

// The Encoding standard's UTF-8 decoder, byte by byte, and its BOM handling.
inline std::string decoded(std::string_view bytes) {
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  std::string out;
  std::string pending;
  unsigned needed = 0;
  unsigned lower = 0x80;
  unsigned upper = 0xBF;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if (needed == 0) {
      if (byte < 0x80) {
        out += bytes[i];
        continue;
      }
      if (byte >= 0xC2 && byte <= 0xDF) {
        needed = 1;
      } else if (byte >= 0xE0 && byte <= 0xEF) {
        needed = 2;
        if (byte == 0xE0) lower = 0xA0;
        if (byte == 0xED) upper = 0x9F;
      } else if (byte >= 0xF0 && byte <= 0xF4) {
        needed = 3;
        if (byte == 0xF0) lower = 0x90;
        if (byte == 0xF4) upper = 0x8F;
      } else {
        out += "\xEF\xBF\xBD";
        continue;
      }
      pending = bytes[i];
      continue;
    }
    const bool fits = byte >= lower && byte <= upper;
    lower = 0x80;
    upper = 0xBF;
    if (!fits) {
      needed = 0;
      out += "\xEF\xBF\xBD";
      --i;  // the byte is looked at again
      continue;
    }
    pending += bytes[i];
    if (--needed == 0) out += pending;
  }
  if (needed != 0) out += "\xEF\xBF\xBD";
  return out;
}

// Whole lines only: what has no end at the end of the stream is not processed.
inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::string line;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r' && text[i] != '\n') {
      line += text[i];
      continue;
    }
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') ++i;
    lines.push_back(line);
    line.clear();
  }
  return lines;
}

inline Result parse(std::string_view bytes, std::string_view last_event_id = {}) {
  Result result{{}, std::string(last_event_id)};
  std::string data;
  std::string type;
  std::string id(last_event_id);
  for (const std::string& line : lines_of(decoded(bytes))) {
    if (line.empty()) {
      result.last_event_id = id;
      if (!data.empty()) {
        data.pop_back();
        std::string step = "event ";
        step += type.empty() ? "message" : type;
        step.append("|").append(data).append("|").append(id);
        result.steps.push_back(step);
      }
      data.clear();
      type.clear();
      continue;
    }
    const std::size_t colon = line.find(':');
    const std::string name = line.substr(0, colon);
    std::string value = colon == std::string::npos ? "" : line.substr(colon + 1);
    if (!value.empty() && value[0] == ' ') value.erase(0, 1);
    if (colon == 0) result.steps.push_back("comment " + value);
    if (name == "event") type = value;
    if (name == "data") data += value + "\n";
    if (name == "id" && value.find('\0') == std::string::npos) id = value;
    const bool digits = value.find_first_not_of("0123456789") == std::string::npos;
    if (name == "retry" && !value.empty() && digits) {
      const std::size_t nonzero = value.find_first_not_of('0');
      std::string number = nonzero == std::string::npos ? "0" : value.substr(nonzero);
      if (number.size() > 13 || (number.size() == 13 && number > "9223372036854")) {
        number = "9223372036854";  // what a Duration of nanoseconds holds
      }
      result.steps.push_back("retry " + number);
    }
  }
  return result;
}

}  // namespace netkit::sse::reference
