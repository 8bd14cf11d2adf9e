#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <netkit/codec/check.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit {

namespace {

constexpr std::size_t kLargest = 8;  // bytes that a check may have

[[noreturn]] void refuse_check(std::string_view text, std::string_view why) {
  throw UsageError(fmt::format("check '{}': {}", text, why));
}

[[noreturn]] void refuse_name(std::string_view text, std::string_view name) {
  const std::vector<std::string_view> names = check_names();
  throw UsageError(fmt::format(
      "{}'{}' is not a check (write sum8, xor8, lrc, the name of a CRC or "
      "crc:WIDTH:POLY:INIT:REFIN:REFOUT:XOROUT, then :le for little-endian and "
      "@FROM..TO){}",
      name == text ? "" : fmt::format("check '{}': ", text), name, did_you_mean(name, names)));
}

std::optional<bool> read_bool(std::string_view word) {
  if (word == "true" || word == "1") return true;
  if (word == "false" || word == "0") return false;
  return std::nullopt;
}

// What follows `crc:`.
CrcModel read_model(std::string_view text, std::string_view rest) {
  std::array<std::string_view, 6> words;
  std::size_t count = 0;
  for (bool more = true; more && count < words.size(); ++count) {
    const std::size_t colon = rest.find(':');
    more = colon != std::string_view::npos;
    words[count] = rest.substr(0, colon);
    rest.remove_prefix(more ? colon + 1 : rest.size());
  }
  if (count < words.size() || !rest.empty()) {
    refuse_check(text, "a CRC has six parameters (WIDTH:POLY:INIT:REFIN:REFOUT:XOROUT)");
  }
  const auto hexadecimal = [&](std::string_view word) {
    if (word.starts_with("0x") || word.starts_with("0X")) word.remove_prefix(2);
    const auto number = read_integer<std::uint64_t>(word, 16);
    if (!number) refuse_check(text, fmt::format("'{}' is not a 64-bit hexadecimal number", word));
    return *number;
  };
  const auto boolean = [&](std::string_view word) {
    const auto value = read_bool(word);
    if (!value) refuse_check(text, fmt::format("'{}' is not true or false", word));
    return *value;
  };
  const auto width = read_integer<std::uint8_t>(words[0], 10);
  if (!width || *width < 1 || *width > 64) refuse_check(text, "a CRC has 1 to 64 bits");
  const CrcModel model{*width,
                       hexadecimal(words[1]),
                       hexadecimal(words[2]),
                       boolean(words[3]),
                       boolean(words[4]),
                       hexadecimal(words[5])};
  const std::uint64_t greatest = ~std::uint64_t{0} >> (64U - model.width);
  if (std::max({model.poly, model.init, model.xor_out}) > greatest) {
    refuse_check(text, fmt::format("a parameter has more than {} bits", model.width));
  }
  return model;
}

}  // namespace

std::string_view to_text(CheckResult result) {
  switch (result) {
    case CheckResult::none:
      return "";
    case CheckResult::ok:
      return "ok";
    case CheckResult::bad:
      return "bad";
  }
  return "";
}

std::vector<std::string_view> check_names() {
  std::vector<std::string_view> names = {"sum8", "xor8", "lrc"};
  for (const NamedCrc& crc : crc_catalogue()) names.push_back(crc.name);
  return names;
}

std::shared_ptr<const Check> Check::parse(std::string_view text) {
  const std::shared_ptr<Check> check(new Check);
  check->text_ = text;
  std::string_view name = check->take_range(text);
  if (name.ends_with(":le")) {
    name.remove_suffix(3);
    check->little_endian_ = true;
  }
  check->take_name(name);
  return check;
}

// Reads `@FROM..TO` at the end of `text` and returns what stands before it.
std::string_view Check::take_range(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos) return text;
  const std::string_view range = text.substr(at + 1);
  const std::size_t dots = range.find("..");
  if (dots == std::string_view::npos) refuse_check(text, "a range is FROM..TO, as in @0..-2");
  const auto position = [&](std::string_view word) -> std::optional<std::int64_t> {
    if (word.empty()) return std::nullopt;
    const auto number = read_integer<std::int32_t>(word, 10);
    if (!number) refuse_check(text, fmt::format("'{}' is not a position in a frame", word));
    return *number;
  };
  from_body_ = false;
  from_ = position(range.substr(0, dots));
  to_ = position(range.substr(dots + 2));
  return text.substr(0, at);
}

void Check::take_name(std::string_view name) {
  if (name == "sum8" || name == "lrc") {
    negated_ = name == "lrc";
    return;
  }
  if (name == "xor8") {
    sum_ = Sum::exclusive_or;
    return;
  }
  constexpr std::string_view kByModel = "crc:";
  const auto model = name.starts_with(kByModel)
                         ? std::optional(read_model(text_, name.substr(kByModel.size())))
                         : find_crc(name);
  if (!model) refuse_name(text_, name);
  sum_ = Sum::crc;
  crc_.emplace(*model);
  size_ = (model->width + std::size_t{7}) / 8;
}

// A range that reaches beyond the frame ends where the frame does.
std::string_view Check::covered(std::string_view before, std::size_t body) const {
  if (from_body_) return before.substr(std::min(body, before.size()));
  const auto end = static_cast<std::int64_t>(before.size());
  const auto whole = end + static_cast<std::int64_t>(size_);
  const auto absolute = [&](std::int64_t position) {
    return std::clamp<std::int64_t>(position < 0 ? whole + position : position, 0, end);
  };
  const std::int64_t from = absolute(from_.value_or(0));
  const std::int64_t to = std::max(from, absolute(to_.value_or(end)));
  return before.substr(static_cast<std::size_t>(from), static_cast<std::size_t>(to - from));
}

std::uint64_t Check::value(std::string_view bytes) const {
  if (sum_ == Sum::crc) return (*crc_)(bytes);
  std::uint8_t value = 0;
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    value = static_cast<std::uint8_t>(sum_ == Sum::sum ? value + byte : value ^ byte);
  }
  return negated_ ? static_cast<std::uint8_t>(-value) : value;
}

void Check::put(char* to, std::string_view before, std::size_t body) const {
  const std::uint64_t check = value(covered(before, body));
  for (std::size_t i = 0; i < size_; ++i) {
    const std::size_t place = little_endian_ ? i : size_ - 1 - i;
    to[i] = static_cast<char>(check >> (8U * place) & 0xFFU);
  }
}

bool Check::holds(std::string_view frame, std::size_t body) const {
  if (frame.size() < size_) return false;
  std::array<char, kLargest> expected;
  put(expected.data(), frame.substr(0, frame.size() - size_), body);
  return frame.ends_with(std::string_view(expected.data(), size_));
}

}  // namespace netkit
