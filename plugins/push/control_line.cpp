#include <algorithm>
#include <charconv>
#include <push/control_line.hpp>
#include <push/payload.hpp>

#include <netkit/util/text.hpp>

namespace netkit::push {

namespace {

using Verb = ControlLine::Verb;

constexpr std::string_view kSubscribeForm = "write SUBSCRIBE NAME UDP-PORT";
constexpr std::string_view kUnsubscribeForm = "write UNSUBSCRIBE NAME";
constexpr std::string_view kVerbs = "write SUBSCRIBE, UNSUBSCRIBE, LIST, STATUS or QUIT";
constexpr std::string_view kNameForm = "a name has 1 to 255 bytes";

ControlLine wrong(std::string_view error) {
  return {.verb = Verb::wrong, .name = {}, .port = 0, .error = error};
}

bool is_word(std::string_view given, std::string_view word) {
  return std::equal(given.begin(), given.end(), word.begin(), word.end(), [](char a, char b) {
    return (a >= 'a' && a <= 'z' ? static_cast<char>(a - 'a' + 'A') : a) == b;
  });
}

ControlLine subscribe(std::string_view rest) {
  const std::size_t space = rest.find_last_of(" \t");
  if (space == std::string_view::npos) return wrong(kSubscribeForm);
  const std::string_view digits = rest.substr(space + 1);
  unsigned port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port == 0 || port > 65535) {
    return wrong("a UDP port is a number from 1 to 65535");
  }
  const auto name = clean_name(rest.substr(0, space));
  if (!name) return wrong(kNameForm);
  return {.verb = Verb::subscribe,
          .name = *name,
          .port = static_cast<std::uint16_t>(port),
          .error = {}};
}

}  // namespace

ControlLine parse_control(std::string_view line) {
  const std::string_view text = trim_white_space(line);
  if (text.empty()) return {.verb = Verb::empty, .name = {}, .port = 0, .error = {}};
  const std::size_t space = std::min(text.find_first_of(" \t"), text.size());
  const std::string_view verb = text.substr(0, space);
  const std::string_view rest = trim_white_space(text.substr(space));
  if (is_word(verb, "SUBSCRIBE")) return subscribe(rest);
  if (is_word(verb, "UNSUBSCRIBE")) {
    if (rest.empty()) return wrong(kUnsubscribeForm);
    const auto name = clean_name(rest);
    if (!name) return wrong(kNameForm);
    return {.verb = Verb::unsubscribe, .name = *name, .port = 0, .error = {}};
  }
  if (!rest.empty()) return wrong(kVerbs);
  if (is_word(verb, "LIST")) return {.verb = Verb::list, .name = {}, .port = 0, .error = {}};
  if (is_word(verb, "STATUS")) return {.verb = Verb::status, .name = {}, .port = 0, .error = {}};
  if (is_word(verb, "QUIT")) return {.verb = Verb::quit, .name = {}, .port = 0, .error = {}};
  return wrong(kVerbs);
}

}  // namespace netkit::push
