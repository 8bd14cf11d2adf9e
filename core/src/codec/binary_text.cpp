#include <array>
#include <cstdint>

#include <netkit/codec/binary_text.hpp>
#include <netkit/util/text.hpp>

namespace netkit {

namespace {

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// The value of each digit, -1 for what is none.
constexpr std::array<std::int8_t, 256> make_values(std::string_view digits) {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < digits.size(); ++i) {
    values[static_cast<std::uint8_t>(digits[i])] = static_cast<std::int8_t>(i);
  }
  return values;
}

constexpr auto kBase64Values = make_values(kBase64);
int base64_value(char c) {
  return kBase64Values[static_cast<std::uint8_t>(c)];
}

std::uint32_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}

}  // namespace

void append_hex(std::string& out, std::string_view bytes) {
  std::size_t at = out.size();
  out.resize(at + bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    out[at++] = kHexDigits[byte >> 4U];
    out[at++] = kHexDigits[byte & 0xFU];
  }
}

std::string encode_hex(std::string_view bytes) {
  std::string text;
  append_hex(text, bytes);
  return text;
}

std::optional<std::string> decode_hex(std::string_view text) {
  std::string bytes(text.size() / 2, '\0');
  std::size_t size = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ' || text[i] == ':') continue;
    const int high = hex_value(text[i]);
    const int low = ++i < text.size() ? hex_value(text[i]) : -1;
    if (high < 0 || low < 0) return std::nullopt;
    bytes[size++] = static_cast<char>(high * 16 + low);
  }
  bytes.resize(size);
  return bytes;
}

void append_base64(std::string& out, std::string_view bytes) {
  std::size_t to = out.size();
  out.resize(to + (bytes.size() + 2) / 3 * 4, '=');
  const auto put = [&](std::uint32_t group, std::size_t digits) {
    for (std::size_t i = 0; i < digits; ++i) out[to + i] = kBase64[group >> (18 - 6 * i) & 0x3FU];
    to += 4;
  };
  std::size_t at = 0;
  for (; bytes.size() - at >= 3; at += 3) {
    put(byte_at(bytes, at) << 16U | byte_at(bytes, at + 1) << 8U | byte_at(bytes, at + 2), 4);
  }
  if (bytes.size() - at == 1) put(byte_at(bytes, at) << 16U, 2);
  if (bytes.size() - at == 2) put(byte_at(bytes, at) << 16U | byte_at(bytes, at + 1) << 8U, 3);
}

std::optional<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 == 0) {
    if (text.ends_with('=')) text.remove_suffix(1);
    if (text.size() % 4 == 3 && text.ends_with('=')) text.remove_suffix(1);
  }
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes(text.size() * 3 / 4, '\0');
  std::size_t size = 0;
  std::uint32_t group = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const int value = base64_value(c);
    if (value < 0) return std::nullopt;
    group = group << 6U | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[size++] = static_cast<char>(group >> bits & 0xFFU);
  }
  if ((group & ((1U << bits) - 1)) != 0) return std::nullopt;
  return bytes;
}

}  // namespace netkit
