#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <netkit/codec/binary_text.hpp>
#include <netkit/codec/codec_spec.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/quantity.hpp>
#include <netkit/util/text.hpp>

namespace netkit {

namespace {

[[noreturn]] void refuse_codec(std::string_view text, std::string_view why) {
  throw UsageError(fmt::format("codec '{}': {}", text, why));
}

[[noreturn]] void refuse_cut(std::string_view text, std::string_view cut) {
  std::vector<std::string_view> words;
  for (const NamedCodec& codec : codec_names()) words.push_back(codec.name);
  for (const std::string_view word :
       {"u8", "u16", "u24", "u32", "u64", "varint", "digits=N", "line", "crlf", "delim=HEX",
        "start=HEX,end=HEX", "slip", "cobs", "hdlc", "fixed=N", "idle=D"}) {
    words.push_back(word);
  }
  throw UsageError(fmt::format("{}'{}' is not a codec (write {}){}",
                               cut == text ? "" : fmt::format("codec '{}': ", text), cut,
                               choice_of(words), did_you_mean(cut, words)));
}

[[noreturn]] void refuse_setting(std::string_view text, std::string_view setting, CutBy by) {
  static constexpr std::string_view kOfLengths[] = {"offset=N", "adjust=N", "strip=N",
                                                    "check=NAME"};
  static constexpr std::string_view kOfMarks[] = {"end=HEX", "escape=HEX", "check=NAME"};
  std::span<const std::string_view> known = std::span(kOfMarks).last(1);
  if (by == CutBy::length) known = kOfLengths;
  if (by == CutBy::marks) known = kOfMarks;
  refuse_codec(text, fmt::format("unknown setting '{}' (write {})", setting, choice_of(known)));
}

struct Word {
  std::string_view name;
  std::string_view value;
  bool has_value;
};

Word split(std::string_view word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos) return {word, {}, false};
  return {word.substr(0, equals), word.substr(equals + 1), true};
}

template <typename Number>
Number number_of(std::string_view text, const Word& word, Number least, Number greatest) {
  const auto number = read_integer<Number>(word.value);
  if (!number || *number < least || *number > greatest) {
    refuse_codec(text, fmt::format("{} is a whole number, {} to {}", word.name, least, greatest));
  }
  return *number;
}

std::string mark_of(std::string_view text, const Word& word) {
  const auto mark = decode_hex(word.value);
  if (!mark || mark->empty() || mark->size() > CodecSpec::kMaxMark) {
    refuse_codec(text,
                 fmt::format("{} is 1 to {} bytes in hexadecimal", word.name, CodecSpec::kMaxMark));
  }
  return *mark;
}

// `u16le`, `varint`, `digits=4`.
bool take_field(std::string_view text, const Word& word, CodecSpec& spec) {
  spec.width = 0;
  if (word.name == "digits") {
    spec.digits = number_of<std::uint8_t>(text, word, 1, CodecSpec::kMaxDigits);
    return true;
  }
  if (word.has_value) return false;
  if (word.name == "varint") return true;
  std::string_view name = word.name;
  if (name.ends_with("le")) {
    spec.little_endian = true;
    name.remove_suffix(2);
  }
  static constexpr std::pair<std::string_view, std::uint8_t> kWidths[] = {
      {"u8", 1}, {"u16", 2}, {"u24", 3}, {"u32", 4}, {"u64", 8}};
  for (const auto& [width, bytes] : kWidths) {
    if (name != width) continue;
    spec.width = bytes;
    if (bytes == 1) spec.little_endian = false;  // a byte has no order
    return true;
  }
  return false;
}

// The first word of a codec, which says how frames are cut.
bool take_cut(std::string_view text, const Word& word, CodecSpec& spec) {
  static constexpr std::pair<std::string_view, CutBy> kPlain[] = {
      {"line", CutBy::line}, {"slip", CutBy::slip}, {"cobs", CutBy::cobs}, {"hdlc", CutBy::hdlc}};
  if (!word.has_value) {
    for (const auto& [name, by] : kPlain) {
      if (word.name != name) continue;
      spec.by = by;
      return true;
    }
    if (word.name != "crlf") return take_field(text, word, spec);
    spec.by = CutBy::delimiter;
    spec.end = "\r\n";
    return true;
  }
  if (word.name == "delim") {
    spec.by = CutBy::delimiter;
    spec.end = mark_of(text, word);
  } else if (word.name == "start") {
    spec.by = CutBy::marks;
    spec.start = mark_of(text, word);
  } else if (word.name == "fixed") {
    spec.by = CutBy::fixed;
    spec.size = number_of<std::uint32_t>(text, word, 1, CodecSpec::kMaxFixed);
  } else if (word.name == "idle") {
    spec.by = CutBy::idle;
    spec.idle = read_duration(word.value).value_or(Duration{});
    if (spec.idle <= Duration{} || spec.idle == kNever) {
      refuse_codec(text, "idle is a duration, such as 5ms");
    }
  } else {
    return take_field(text, word, spec);
  }
  return true;
}

bool take_length_setting(std::string_view text, const Word& word, CodecSpec& spec) {
  using Limits = std::numeric_limits<std::int32_t>;
  if (word.name == "offset") {
    spec.offset = number_of<std::uint32_t>(text, word, 0, CodecSpec::kMaxOffset);
  } else if (word.name == "strip") {
    spec.strip = number_of<std::uint32_t>(text, word, 0, CodecSpec::kMaxOffset);
  } else if (word.name == "adjust") {
    spec.adjust = number_of<std::int32_t>(text, word, Limits::min(), Limits::max());
  } else {
    return false;
  }
  return true;
}

bool take_mark_setting(std::string_view text, const Word& word, CodecSpec& spec) {
  if (word.name == "end") {
    spec.end = mark_of(text, word);
  } else if (word.name == "escape") {
    const std::string escape = mark_of(text, word);
    if (escape.size() != 1) refuse_codec(text, "escape is one byte in hexadecimal");
    spec.escape = static_cast<std::uint8_t>(escape.front());
  } else {
    return false;
  }
  return true;
}

void take_setting(std::string_view text, std::string_view setting, CodecSpec& spec) {
  const Word word = split(setting);
  if (word.name == "check" && word.has_value) {
    spec.check = Check::parse(word.value);
    return;
  }
  const bool known = (spec.by == CutBy::length && take_length_setting(text, word, spec)) ||
                     (spec.by == CutBy::marks && take_mark_setting(text, word, spec));
  if (!known) refuse_setting(text, setting, spec.by);
}

// Marks that a frame could not hold its bytes between.
void judge_marks(std::string_view text, const CodecSpec& spec) {
  if (spec.end.empty()) refuse_codec(text, "start needs an end");
  const bool same = spec.start == spec.end;
  if (same && spec.start.size() > 1) {
    refuse_codec(text, "start and end can be equal only if they are one byte");
  }
  if (!same && (spec.start.starts_with(spec.end) || spec.end.starts_with(spec.start))) {
    refuse_codec(text, "one of start and end begins with the other");
  }
  if (!spec.escape) return;
  const auto escape = static_cast<char>(*spec.escape);
  const std::string plain = {spec.start.front(), spec.end.front(), escape};
  for (const char byte : plain) {
    const auto escaped = static_cast<char>(static_cast<std::uint8_t>(byte) ^ 0x20U);
    if (plain.find(escaped) != std::string::npos) {
      refuse_codec(text, "a byte to escape, XORed with 20, is another one of them");
    }
  }
  if (plain.find(escape) != 2) refuse_codec(text, "escape is the first byte of start or end");
}

CodecSpec parse_line(std::string_view text) {
  CodecSpec spec;
  spec.message_ids = false;
  std::size_t comma = text.find(',');
  const std::string_view cut = text.substr(0, comma);
  for (const NamedCodec& codec : codec_names()) {
    if (cut != codec.name) continue;
    refuse_codec(text, fmt::format("{} takes no settings (it is {})", cut, codec.codec));
  }
  if (!take_cut(text, split(cut), spec)) refuse_cut(text, cut);
  std::vector<std::string_view> seen;
  while (comma != std::string_view::npos) {
    const std::size_t from = comma + 1;
    comma = text.find(',', from);
    const std::string_view setting = text.substr(from, comma - from);
    const std::string_view name = split(setting).name;
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
      refuse_codec(text, fmt::format("{} is given twice", name));
    }
    seen.push_back(name);
    take_setting(text, setting, spec);
  }
  if (spec.by == CutBy::marks) judge_marks(text, spec);
  if (spec.by == CutBy::fixed && spec.check && spec.size < spec.check->size()) {
    refuse_codec(text, "a frame of that size has no room for its check");
  }
  return spec;
}

std::string length_text(const CodecSpec& spec) {
  std::string text = spec.digits != 0  ? fmt::format("digits={}", spec.digits)
                     : spec.width == 0 ? "varint"
                                       : fmt::format("u{}", spec.width * 8);
  if (spec.little_endian) text += "le";
  if (spec.offset != 0) text += fmt::format(",offset={}", spec.offset);
  if (spec.adjust != 0) text += fmt::format(",adjust={}", spec.adjust);
  if (spec.strip) text += fmt::format(",strip={}", *spec.strip);
  return text;
}

std::string cut_text(const CodecSpec& spec) {
  switch (spec.by) {
    case CutBy::length:
      return length_text(spec);
    case CutBy::line:
      return "line";
    case CutBy::delimiter:
      return spec.end == "\r\n" ? "crlf" : "delim=" + encode_hex(spec.end);
    case CutBy::marks: {
      std::string text =
          fmt::format("start={},end={}", encode_hex(spec.start), encode_hex(spec.end));
      if (spec.escape) text += fmt::format(",escape={:02x}", *spec.escape);
      return text;
    }
    case CutBy::slip:
      return "slip";
    case CutBy::cobs:
      return "cobs";
    case CutBy::hdlc:
      return "hdlc";
    case CutBy::fixed:
      return fmt::format("fixed={}", spec.size);
    case CutBy::idle:
      return "idle=" + format_duration(spec.idle);
  }
  return "";
}

}  // namespace

CodecSpec CodecSpec::parse(std::string_view text, Timing timing) {
  const auto names = codec_names();
  const auto named = std::find_if(names.begin(), names.end(),
                                  [&](const NamedCodec& codec) { return codec.name == text; });
  CodecSpec spec = parse_line(named == names.end() ? text : named->codec);
  if (named != names.end()) {
    spec.name = named->name;
    spec.dialect = named->dialect;
    spec.message_ids = named == names.begin();
  }
  if (spec.by == CutBy::idle && timing == Timing::untimed) {
    throw UsageError(fmt::format(
        "codec '{}': frames that end by silence need input that arrives in real time", text));
  }
  return spec;
}

CodecSpec CodecSpec::in_datagrams() const {
  const bool inner = by == CutBy::length && (strip ? *strip == 0 : offset != 0);
  if (inner || dialect != Dialect::none) return *this;
  CodecSpec spec;
  spec.by = CutBy::idle;
  spec.message_ids = message_ids;
  spec.check = check;
  return spec;
}

std::string CodecSpec::to_string() const {
  if (message_ids) return "netkit";
  if (!name.empty()) return name;
  std::string text = cut_text(*this);
  if (check) text += ",check=" + check->text();
  return text;
}

}  // namespace netkit
