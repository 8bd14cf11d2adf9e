
#include "util/utf8.hpp"

#include <algorithm>
#include <cmath>

#include <netkit/util/format.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

// High bits mark the bytes of `word` that equal `byte`, and perhaps ones after them.
std::uint64_t equal_bytes(std::uint64_t word, char byte) {
  const std::uint64_t difference = word ^ static_cast<unsigned char>(byte) * utf8::kOnes;
  return (difference - utf8::kOnes) & ~difference;
}

std::uint64_t needs_care(std::uint64_t word) {
  return utf8::not_printable(word) |
         ((equal_bytes(word, '"') | equal_bytes(word, '\\')) & utf8::kHighBits);
}

// How many bytes from `at` on are copied as they are, in whole blocks of 16.
std::size_t plain_blocks(std::string_view bytes, std::size_t at) {
  const std::size_t begin = at;
  for (; bytes.size() - at >= 16; at += 16) {
    const std::uint64_t first = needs_care(utf8::load_word(bytes.data() + at));
    const std::uint64_t second = needs_care(utf8::load_word(bytes.data() + at + 8));
    if ((first | second) != 0) break;
  }
  return at - begin;
}

bool is_plain(unsigned char byte) {
  return byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\';
}

void append_escape(std::string& out, std::uint32_t code_point) {
  static constexpr std::string_view kShort = "\"\\\b\f\n\r\t";
  static constexpr std::string_view kLetters = "\"\\bfnrt";
  if (code_point < 0x80) {
    if (const std::size_t i = kShort.find(static_cast<char>(code_point)); i != kShort.npos) {
      out += '\\';
      out += kLetters[i];
      return;
    }
  }
  // All that is hidden lies in the basic plane, so one escape does.
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kHexDigits[code_point >> shift & 0xFU];
}

// What to do about the character at `at` that is not plain.
struct Step {
  std::size_t length;  // of the character
  bool copied;
  std::uint32_t escaped;
};

bool next_step(std::string_view bytes, std::size_t at, Step& step) {
  const auto byte = static_cast<unsigned char>(bytes[at]);
  if (byte < 0x80) {
    step = {1, false, byte};
    return true;
  }
  const utf8::Sequence sequence = utf8::decode(bytes, at);
  if (!sequence.valid) return false;
  step = {sequence.length, utf8::may_be_shown(sequence.code_point), sequence.code_point};
  return true;
}

template <bool kLossy>
bool append_string(std::string& out, std::string_view bytes) {
  const std::size_t start = out.size();
  out += '"';
  std::size_t clean = 0;  // from here to `at` bytes are copied as they are
  std::size_t at = 0;
  while (at < bytes.size()) {
    at += plain_blocks(bytes, at);
    const std::size_t stop = std::min(at + 16, bytes.size());
    while (at < stop) {
      if (is_plain(static_cast<unsigned char>(bytes[at]))) {
        ++at;
        continue;
      }
      Step step{};
      const bool valid = next_step(bytes, at, step);
      if (valid && step.copied) {
        at += step.length;
        continue;
      }
      if (!valid && !kLossy) {
        out.resize(start);
        return false;
      }
      out.append(bytes, clean, at - clean);
      if (valid) {
        append_escape(out, step.escaped);
      } else {
        out += utf8::kReplacement;
      }
      at += valid ? step.length : 1;
      clean = at;
    }
  }
  out.append(bytes, clean, bytes.size() - clean);
  out += '"';
  return true;
}

}  // namespace

bool append_json_string(std::string& out, std::string_view bytes) {
  return append_string<false>(out, bytes);
}

void append_json_lossy(std::string& out, std::string_view bytes) {
  append_string<true>(out, bytes);
}

void append_json_number(std::string& out, double value) {
  if (std::isfinite(value)) {
    append_double(out, value);
  } else {
    out += "null";
  }
}

}  // namespace netkit
