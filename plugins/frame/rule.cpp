#include <array>
#include <frame/rule.hpp>

#include <fmt/format.h>

#include <netkit/record/record.hpp>
#include <netkit/util/digits.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit::frame {

namespace {

constexpr std::string_view kHex = "hex:";
constexpr std::string_view kRule = "--rule";
constexpr std::array<std::string_view, 100> kNumbers = [] {
  constexpr const char* kDigits =
      "000102030405060708091011121314151617181920212223242526272829303132333435363738394041424344"
      "454647484950515253545556575859606162636465666768697071727374757677787980818283848586878889"
      "90919293949596979899";
  std::array<std::string_view, 100> numbers;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] =
        i < 10 ? std::string_view(kDigits + 2 * i + 1, 1) : std::string_view(kDigits + 2 * i, 2);
  }
  return numbers;
}();

[[noreturn]] void refuse(std::string_view option, std::string_view text, std::string_view why) {
  throw UsageError(fmt::format("{}: '{}': {}", option, escaped_text(text), why));
}

bool is_separator(char c) {
  return c == ' ' || c == ':';
}

// `hex:01{1}02` as a template: the digits become escapes.
std::string template_of_hex(std::string_view text, std::string_view digits) {
  std::string source;
  for (std::size_t at = 0; at < digits.size();) {
    if (is_separator(digits[at])) {
      ++at;
    } else if (digits[at] == '{') {
      const std::size_t end = std::min(digits.find('}', at), digits.size() - 1);
      source.append(digits.substr(at, end + 1 - at));
      at = end + 1;
    } else {
      const std::string_view byte = digits.substr(at, 2);
      if (byte.size() < 2 || hex_value(byte[0]) < 0 || hex_value(byte[1]) < 0) {
        refuse(kRule, text, "hex: needs two hexadecimal digits per byte, and {1} for a group");
      }
      source.append("\\x").append(byte);
      at += 2;
    }
  }
  return source;
}

// std::regex does not look whether the numbers of repetitions and back-references fit.
bool has_endless_number(std::string_view regex) {
  constexpr std::size_t kMostDigits = 9;
  for (std::size_t at = 0; at < regex.size(); ++at) {
    if (regex[at] != '{' && regex[at] != '\\') continue;
    const std::string_view rest = regex.substr(at + 1);
    const std::size_t first = leading_digits(rest);
    if (first > kMostDigits) return true;
    const std::string_view second = rest.substr(first);
    if (second.starts_with(',') && leading_digits(second.substr(1)) > kMostDigits) return true;
    if (regex[at] == '\\') ++at;
  }
  return false;
}

}  // namespace

Pattern Pattern::parse(std::string_view text, std::string_view option) {
  Pattern pattern;
  pattern.text_ = text;
  if (text.empty()) refuse(option, text, "the pattern is empty");
  if (text.size() > 1 && text.front() == '/' && text.back() == '/') {
    constexpr auto kKind = std::regex::ECMAScript | std::regex_constants::__polynomial;
    const std::string_view regex = text.substr(1, text.size() - 2);
    try {
      if (has_endless_number(regex)) throw std::regex_error(std::regex_constants::error_brace);
      pattern.regex_.emplace(std::string(regex), kKind);
    } catch (const std::regex_error&) {
      refuse(option, text,
             "this is not a regular expression (ECMAScript, without back-references)");
    }
    pattern.groups_ = pattern.regex_->mark_count();
  } else if (!text.starts_with(kHex)) {
    pattern.bytes_ = text;
    pattern.any_.resize(text.size());
  } else {
    const std::string_view digits = text.substr(kHex.size());
    for (std::size_t at = 0; at < digits.size();) {
      if (is_separator(digits[at])) {
        ++at;
        continue;
      }
      const std::string_view byte = digits.substr(at, 2);
      const bool any = byte == "??";
      if (!any && (byte.size() < 2 || hex_value(byte[0]) < 0 || hex_value(byte[1]) < 0)) {
        refuse(option, text, "hex: needs two hexadecimal digits per byte, or ?? for any byte");
      }
      pattern.bytes_ +=
          any ? '\0' : static_cast<char>(hex_value(byte[0]) * 16 + hex_value(byte[1]));
      pattern.any_.push_back(any);
      if (any) ++pattern.groups_;
      at += 2;
    }
  }
  if (pattern.groups_ >= kNumbers.size()) refuse(option, text, "it has more than 99 groups");
  return pattern;
}

std::optional<std::vector<std::string_view>> Pattern::match(std::string_view body) const {
  std::vector<std::string_view> groups;
  if (regex_) {
    const std::string_view searched = body.substr(0, kMostSearched);
    std::match_results<std::string_view::const_iterator> found;
    if (!std::regex_search(searched.begin(), searched.end(), found, *regex_)) return std::nullopt;
    for (const auto& group : found) groups.emplace_back(group.first, group.second);
    return groups;
  }
  if (body.size() != bytes_.size()) return std::nullopt;
  groups.push_back(body);
  for (std::size_t i = 0; i < body.size(); ++i) {
    if (any_[i]) {
      groups.push_back(body.substr(i, 1));
    } else if (body[i] != bytes_[i]) {
      return std::nullopt;
    }
  }
  return groups;
}

Rule Rule::parse(std::string_view text) {
  constexpr std::string_view kArrow = " => ";
  const std::size_t arrow = text.find(kArrow);
  if (arrow == text.npos) refuse(kRule, text, "write 'PATTERN => ANSWER'");
  Pattern pattern = Pattern::parse(text.substr(0, arrow), kRule);
  const std::string_view answer = text.substr(arrow + kArrow.size());
  const std::string source = answer.starts_with(kHex)
                                 ? template_of_hex(text, answer.substr(kHex.size()))
                                 : std::string(answer);
  const std::span<const std::string_view> fields(kNumbers.data(), pattern.groups() + 1);
  Template parsed = Template::parse(source, kRule, fields);
  return {std::move(pattern), std::move(parsed)};
}

std::optional<std::string> Rule::answer(std::string_view body, WallTime now) const {
  const auto groups = pattern_.match(body);
  if (!groups) return std::nullopt;
  std::vector<Field> fields;
  for (std::size_t i = 0; i < groups->size(); ++i) fields.push_back({kNumbers[i], (*groups)[i]});
  Record record;
  record.time = now;
  record.payload = body;
  record.fields = fields;
  std::string out;
  answer_.render(record, out, Escaping::none);
  return out;
}

}  // namespace netkit::frame
