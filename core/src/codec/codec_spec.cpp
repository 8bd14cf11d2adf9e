#include <charconv>
#include <string>

#include <netkit/codec/frame_codec.hpp>
#include <netkit/util/error.hpp>

namespace netkit {

namespace {

constexpr std::string_view kWanted =
    "a codec is netkit, or u8, u16, u24, u32, u64 (with le for little-endian) or varint, then "
    "offset=N, adjust=N, strip=N, with commas between";

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw UsageError("codec '" + std::string(text) + "': " + why + "; " + std::string(kWanted));
}

// The field's own word: `u16le`, `varint`.
bool parse_field(std::string_view word, CodecSpec& spec) {
  if (word == "varint") {
    spec.width = 0;
    return true;
  }
  if (word.ends_with("le")) {
    spec.little_endian = true;
    word.remove_suffix(2);
  }
  struct Width {
    std::string_view word;
    std::uint8_t bytes;
  };
  for (const Width& width : {Width{"u8", 1}, {"u16", 2}, {"u24", 3}, {"u32", 4}, {"u64", 8}}) {
    if (word != width.word) continue;
    spec.width = width.bytes;
    if (spec.width == 1) spec.little_endian = false;  // a byte has no order
    return true;
  }
  return false;
}

template <typename Number>
std::optional<Number> parse_number(std::string_view digits) {
  Number number{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

// One `name=N`; `seen` has a bit for each name.
void parse_setting(std::string_view text, std::string_view word, CodecSpec& spec, unsigned& seen) {
  const std::size_t equals = word.find('=');
  const std::string_view name = word.substr(0, equals);
  const std::string_view digits =
      equals == std::string_view::npos ? std::string_view() : word.substr(equals + 1);
  const unsigned bit = name == "offset" ? 1U : name == "adjust" ? 2U : name == "strip" ? 4U : 0U;
  if (bit == 0) refuse(text, "'" + std::string(word) + "' is not known");
  if ((seen & bit) != 0) refuse(text, std::string(name) + " is given twice");
  seen |= bit;
  if (bit == 2U) {
    const auto number = parse_number<std::int32_t>(digits);
    if (!number) refuse(text, "adjust is a whole number, -2147483648 to 2147483647");
    spec.adjust = *number;
    return;
  }
  const auto number = parse_number<std::uint32_t>(digits);
  if (!number || *number > CodecSpec::kMaxOffset) {
    refuse(text, std::string(name) + " is a whole number, 0 to 65536");
  }
  if (bit == 1U) {
    spec.offset = *number;
  } else {
    spec.strip = *number;
  }
}

}  // namespace

CodecSpec CodecSpec::parse(std::string_view text) {
  if (text == "netkit") return {};
  CodecSpec spec;
  spec.message_ids = false;
  std::size_t comma = text.find(',');
  const std::string_view field = text.substr(0, comma);
  if (field == "netkit") refuse(text, "netkit takes no settings");
  if (!parse_field(field, spec)) refuse(text, "'" + std::string(field) + "' is no length field");
  unsigned seen = 0;
  while (comma != std::string_view::npos) {
    const std::size_t from = comma + 1;
    comma = text.find(',', from);
    parse_setting(text, text.substr(from, comma - from), spec, seen);
  }
  return spec;
}

std::string CodecSpec::to_string() const {
  if (message_ids) return "netkit";
  std::string text = width == 0 ? "varint" : "u" + std::to_string(width * 8);
  if (little_endian) text += "le";
  if (offset != 0) text += ",offset=" + std::to_string(offset);
  if (adjust != 0) text += ",adjust=" + std::to_string(adjust);
  if (strip) text += ",strip=" + std::to_string(*strip);
  return text;
}

}  // namespace netkit
