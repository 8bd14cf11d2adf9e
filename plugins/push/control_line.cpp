#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <push/control_line.hpp>
#include <push/payload.hpp>

#include <netkit/codec/binary_text.hpp>
#include <netkit/util/format.hpp>
#include <netkit/util/text.hpp>

namespace netkit::push {

namespace {

using Verb = ControlLine::Verb;

constexpr std::string_view kSubscribeForm = "write SUBSCRIBE NAME UDP-PORT";
constexpr std::string_view kUnsubscribeForm = "write UNSUBSCRIBE NAME";
constexpr std::string_view kVerbs = "write SUBSCRIBE, UNSUBSCRIBE, LIST, STATUS or QUIT";
constexpr std::string_view kNameForm = "a name has 1 to 255 bytes";

template <typename Number>
bool read_number(std::string_view word, Number& value) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return error == std::errc() && end == word.data() + word.size();
}

ControlLine wrong(std::string_view error) {
  return {.verb = Verb::wrong, .name = {}, .port = 0, .error = error};
}

ControlLine only(Verb verb) {
  return {.verb = verb, .name = {}, .port = 0, .error = {}};
}

bool is_word(std::string_view given, std::string_view word) {
  return std::equal(given.begin(), given.end(), word.begin(), word.end(), [](char a, char b) {
    return (a >= 'a' && a <= 'z' ? static_cast<char>(a - 'a' + 'A') : a) == b;
  });
}

// What follows the verb of a request line: a page in a browser can make one send it.
bool is_http(std::string_view rest) {
  return rest.substr(rest.find_last_of(" \t") + 1).starts_with("HTTP/");
}

ControlLine subscribe(std::string_view rest) {
  const std::size_t space = rest.find_last_of(" \t");
  if (space == std::string_view::npos) return wrong(kSubscribeForm);
  const std::string_view digits = rest.substr(space + 1);
  unsigned port = 0;
  if (!read_number(digits, port) || port == 0 || port > 65535) {
    return wrong("a UDP port is a number from 1 to 65535");
  }
  const auto name = clean_name(rest.substr(0, space));
  if (!name) return wrong(kNameForm);
  return {.verb = Verb::subscribe,
          .name = *name,
          .port = static_cast<std::uint16_t>(port),
          .error = {}};
}

void append_word(std::string& out, std::uint64_t value) {
  append_unsigned(out, value);
  out += ' ';
}

void append_reversibly(std::string& out, std::string_view name) {
  for (std::size_t end = 0; (end = name.find('\\')) != name.npos; name.remove_prefix(end + 1)) {
    escape_text(out, name.substr(0, end), false);
    out += R"(\x5c)";
  }
  escape_text(out, name, false);
}

std::string original(std::string_view escaped) {
  std::string out;
  for (std::size_t end = 0; (end = escaped.find(R"(\x)")) != escaped.npos;) {
    const auto byte = decode_hex(escaped.substr(end + 2, 2));
    const bool good = byte && byte->size() == 1;
    out.append(escaped.substr(0, good ? end : end + 2));
    if (good) out += *byte;
    escaped.remove_prefix(good ? end + 4 : end + 2);
  }
  return out.append(escaped);
}

}  // namespace

ControlLine parse_control(std::string_view line) {
  const std::string_view text = trim_white_space(line);
  if (text.empty()) return only(Verb::empty);
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
  if (is_http(rest)) return only(Verb::http);
  if (!rest.empty()) return wrong(kVerbs);
  if (is_word(verb, "LIST")) return only(Verb::list);
  if (is_word(verb, "STATUS")) return only(Verb::status);
  if (is_word(verb, "QUIT")) return only(Verb::quit);
  return wrong(kVerbs);
}

void append_list_row(std::string& out, const RosterRow& row) {
  escape_text(out, row.name, false);
  out += ' ';
  row.address.append_to(out);
  out += '\n';
}

void append_status_row(std::string& out, const RosterRow& row) {
  row.address.append_to(out);
  out += row.plain ? " plain " : " native ";
  append_fixed(out, std::chrono::duration<double>(row.age).count(), 3);
  out += ' ';
  append_word(out, row.sent);
  append_word(out, row.lost);
  append_word(out, row.lag);
  append_reversibly(out, row.name);
  out += '\n';
}

std::optional<StatusRow> parse_status_row(std::string_view line) {
  std::array<std::string_view, 6> words;
  for (std::string_view& word : words) {
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos || space == 0) return std::nullopt;
    word = line.substr(0, space);
    line.remove_prefix(space + 1);
  }
  StatusRow row{.name = original(line), .address = words[0], .kind = words[1]};
  if (row.name.empty() || (row.kind != "plain" && row.kind != "native")) return std::nullopt;
  if (!read_number(words[2], row.age_s) || !read_number(words[3], row.sent) ||
      !read_number(words[4], row.lost) || !read_number(words[5], row.lag)) {
    return std::nullopt;
  }
  return row;
}

}  // namespace netkit::push
