#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <sse/json_scan.hpp>

#include <netkit/util/text.hpp>

namespace netkit::sse::json {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101;
constexpr std::uint64_t kTops = 0x8080808080808080;

// A top bit for the first byte of `word` that is less than `limit`, and for none before it.
constexpr std::uint64_t below(std::uint64_t word, std::uint64_t limit) {
  return (word - kOnes * limit) & ~word & kTops;
}

bool is_plain(char c) {
  return c != '"' && c != '\\' && static_cast<unsigned char>(c) >= 0x20;
}

// The first byte that is a quote, a backslash or a control character.
const char* skip_plain(const char* at, const char* end) {
#ifdef __SSE2__
  for (; end - at >= 16; at += 16) {
    const unsigned special = line_scan::mask_of(special_bytes(line_scan::load(at)));
    if (special != 0) return at + std::countr_zero(special);
  }
#endif
  if constexpr (std::endian::native == std::endian::little) {
    for (; end - at >= 8; at += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, at, sizeof word);
      const std::uint64_t found =
          below(word, 0x20) | below(word ^ kOnes * '"', 1) | below(word ^ kOnes * '\\', 1);
      if (found != 0) return at + std::countr_zero(found) / 8;
    }
  }
  while (at != end && is_plain(*at)) ++at;
  return at;
}

// Of four hexadecimal digits.
std::optional<std::uint32_t> unit_of(const char* at, const char* end) {
  if (end - at < 4) return std::nullopt;
  std::uint32_t unit = 0;
  for (const char c : std::string_view(at, 4)) {
    const int digit = hex_value(c);
    if (digit < 0) return std::nullopt;
    unit = unit << 4U | static_cast<std::uint32_t>(digit);
  }
  return unit;
}

// `at` is the u of an escape: the character, or that of two halves, and where it ends.
const char* take_character(const char* at, const char* end, std::uint32_t& character) {
  const auto first = unit_of(at + 1, end);
  if (!first || (*first >= 0xDC00 && *first <= 0xDFFF)) return nullptr;
  character = *first;
  at += 5;
  if (*first < 0xD800 || *first > 0xDFFF) return at;
  if (end - at < 6 || at[0] != '\\' || at[1] != 'u') return nullptr;
  const auto second = unit_of(at + 2, end);
  if (!second || *second < 0xDC00 || *second > 0xDFFF) return nullptr;
  character = 0x10000 + ((*first - 0xD800) << 10U) + (*second - 0xDC00);
  return at + 6;
}

void append_utf8(std::string& out, std::uint32_t character) {
  const auto add = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  const auto add_rest = [&](unsigned bits) { add(0x80 | ((character >> bits) & 0x3F)); };
  if (character < 0x80) return add(character);
  if (character < 0x800) {
    add(0xC0 | character >> 6U);
  } else if (character < 0x10000) {
    add(0xE0 | character >> 12U);
    add_rest(6);
  } else {
    add(0xF0 | character >> 18U);
    add_rest(12);
    add_rest(6);
  }
  add_rest(0);
}

const char* skip_digits(const char* at, const char* end) {
  const char* const begin = at;
  while (at != end && *at >= '0' && *at <= '9') ++at;
  return at == begin ? nullptr : at;
}

}  // namespace

const char* skip_number(const char* at, const char* end) {
  if (*at == '-') ++at;
  if (at != end && *at == '0') {
    ++at;
  } else {
    at = skip_digits(at, end);
  }
  if (at != nullptr && at != end && *at == '.') at = skip_digits(at + 1, end);
  if (at == nullptr || at == end || (*at != 'e' && *at != 'E')) return at;
  ++at;
  if (at != end && (*at == '+' || *at == '-')) ++at;
  return skip_digits(at, end);
}

const char* skip_name(const char* at, const char* end) {
  const std::string_view text(at, static_cast<std::size_t>(end - at));
  for (const std::string_view name : {"true", "false", "null"}) {
    if (text.starts_with(name)) return at + name.size();
  }
  return nullptr;
}

const char* take_string_rest(const char* begin, const char* at, const char* end, String& string) {
  string.has_escapes = false;
  while ((at = skip_plain(at, end)) != end) {
    if (*at == '"') {
      string.text = {begin, static_cast<std::size_t>(at - begin)};
      return at + 1;
    }
    if (*at != '\\' || ++at == end) return nullptr;
    string.has_escapes = true;
    std::uint32_t character = 0;
    if (*at == 'u') {
      at = take_character(at, end, character);
      if (at == nullptr) return nullptr;
    } else if (std::string_view("\"\\/bfnrt").find(*at++) == std::string_view::npos) {
      return nullptr;
    }
  }
  return nullptr;
}

std::string_view String::value(std::string& room) const {
  if (!has_escapes) return text;
  room.clear();
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    const char* const plain = skip_plain(at, end);
    room.append(at, plain);
    at = plain;
    if (at == end) break;
    ++at;
    if (*at == 'u') {
      std::uint32_t character = 0;
      at = take_character(at, end, character);
      append_utf8(room, character);
    } else {
      constexpr std::string_view kNames = "\"\\/bfnrt";
      room += "\"\\/\b\f\n\r\t"[kNames.find(*at++)];
    }
  }
  return room;
}

}  // namespace netkit::sse::json
