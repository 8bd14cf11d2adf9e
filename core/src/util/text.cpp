#include "util/utf8.hpp"

#include <algorithm>
#include <array>
#include <clocale>
#include <langinfo.h>

#include <fmt/format.h>

#include <netkit/util/text.hpp>

namespace netkit {
namespace {

enum class ByteKind : std::uint8_t { plain, bad, line_feed, lead };

constexpr std::array<ByteKind, 256> make_kinds() {
  std::array<ByteKind, 256> kinds{};
  for (std::size_t byte = 0; byte < kinds.size(); ++byte) {
    if (byte >= 0x80) {
      kinds[byte] = ByteKind::lead;
    } else if (byte < 0x20 || byte == 0x7F) {
      kinds[byte] = ByteKind::bad;
    }
  }
  kinds['\t'] = ByteKind::plain;
  kinds['\n'] = ByteKind::line_feed;
  return kinds;
}

constexpr auto kKinds = make_kinds();

void append_escaped(std::string& out, std::string_view bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    const char escape[] = {'\\', 'x', kHexDigits[byte >> 4], kHexDigits[byte & 0xF]};
    out.append(escape, sizeof escape);
  }
}

// The length of the character at `at` when it may be shown, else 0.
std::size_t shown_length(std::string_view bytes, std::size_t at, bool keep_lf) {
  switch (kKinds[static_cast<unsigned char>(bytes[at])]) {
    case ByteKind::plain:
      return 1;
    case ByteKind::line_feed:
      return keep_lf ? 1 : 0;
    case ByteKind::bad:
      return 0;
    case ByteKind::lead:
      break;
  }
  const utf8::Sequence sequence = utf8::decode(bytes, at);
  return sequence.valid && utf8::may_be_shown(sequence.code_point) ? sequence.length : 0;
}

// Where the first character from `at` on is that has to be escaped, else the size.
std::size_t find_unshown(std::string_view bytes, std::size_t at, bool keep_lf) {
  const char* const end = bytes.data() + bytes.size();
  while (at < bytes.size()) {
    at = static_cast<std::size_t>(skip_printable(bytes.data() + at, end) - bytes.data());
    // What follows other characters is read one by one for a while: there are more of them.
    const std::size_t stop = std::min(at + 16, bytes.size());
    while (at < stop) {
      const std::size_t length = shown_length(bytes, at, keep_lf);
      if (length == 0) return at;
      at += length;
    }
  }
  return at;
}

}  // namespace

bool is_valid_utf8(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (bytes.size() - at >= 16) {
      const std::uint64_t both =
          utf8::load_word(bytes.data() + at) | utf8::load_word(bytes.data() + at + 8);
      if ((both & utf8::kHighBits) == 0) {
        at += 16;
        continue;
      }
    }
    const utf8::Sequence sequence = utf8::decode(bytes, at);
    if (!sequence.valid) return false;
    at += sequence.length;
  }
  return true;
}

bool repair_utf8(std::string& out, std::string_view bytes, std::size_t limit) {
  out.clear();
  for (std::size_t at = 0; at < bytes.size();) {
    const utf8::Sequence sequence = utf8::decode(bytes, at);
    out += sequence.valid ? bytes.substr(at, sequence.length) : utf8::kReplacement;
    if (out.size() > limit) return false;
    at += sequence.length;
  }
  return true;
}

void escape_text(std::string& out, std::string_view bytes, bool keep_lf) {
  std::size_t at = 0;
  while (true) {
    const std::size_t bad = find_unshown(bytes, at, keep_lf);
    out.append(bytes, at, bad - at);
    if (bad == bytes.size()) return;
    const std::size_t length = utf8::decode(bytes, bad).length;
    append_escaped(out, bytes.substr(bad, length));
    at = bad + length;
  }
}

bool is_shown_unchanged(std::string_view bytes, bool keep_lf) {
  return find_unshown(bytes, 0, keep_lf) == bytes.size();
}

std::string escaped_text(std::string_view bytes, bool keep_lf) {
  std::string out;
  escape_text(out, bytes, keep_lf);
  return out;
}

// White space but U+0020, format and default-ignorable characters, fillers and what has an empty
// shape (Braille, a note's head), of Unicode 15.
bool has_unseen(std::string_view bytes) {
  struct Range {
    std::uint32_t first, last;
  };
  static constexpr Range kUnseen[] = {
      {0x00A0, 0x00A0},   {0x00AD, 0x00AD},   {0x034F, 0x034F},   {0x0600, 0x0605},
      {0x061C, 0x061C},   {0x06DD, 0x06DD},   {0x070F, 0x070F},   {0x0890, 0x0891},
      {0x08E2, 0x08E2},   {0x115F, 0x1160},   {0x1680, 0x1680},   {0x17B4, 0x17B5},
      {0x180B, 0x180F},   {0x2000, 0x200F},   {0x2028, 0x202F},   {0x205F, 0x206F},
      {0x2800, 0x2800},   {0x3000, 0x3000},   {0x3164, 0x3164},   {0xFE00, 0xFE0F},
      {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},   {0xFFF0, 0xFFFB},   {0x110BD, 0x110BD},
      {0x110CD, 0x110CD}, {0x13430, 0x1343F}, {0x16FE4, 0x16FE4}, {0x1BCA0, 0x1BCA3},
      {0x1D159, 0x1D159}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
  };
  for (std::size_t at = 0; at < bytes.size();) {
    const utf8::Sequence sequence = utf8::decode(bytes, at);
    const auto covers = [&](const Range& range) {
      return range.first <= sequence.code_point && sequence.code_point <= range.last;
    };
    if (sequence.valid && std::ranges::any_of(kUnseen, covers)) return true;
    at += sequence.length;
  }
  return false;
}

bool locale_is_utf8() {
  const locale_t locale = ::newlocale(LC_CTYPE_MASK, "", nullptr);
  if (locale == nullptr) return false;
  const bool is_utf8 = std::string_view(::nl_langinfo_l(CODESET, locale)) == "UTF-8";
  ::freelocale(locale);
  return is_utf8;
}

std::string_view trim_white_space(std::string_view text) {
  static constexpr std::string_view kWhite = " \t\n\v\f\r";
  const std::size_t begin = text.find_first_not_of(kWhite);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kWhite) + 1 - begin);
}

std::string counted(std::uint64_t count, std::string_view thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

std::string choice_of(std::span<const std::string_view> words) {
  if (words.size() < 2) return words.empty() ? std::string() : std::string(words.front());
  return fmt::format("{} or {}", fmt::join(words.first(words.size() - 1), ", "), words.back());
}

}  // namespace netkit
