#include <array>
#include <charconv>
#include <chrono>
#include <push/roster_line.hpp>

#include <netkit/codec/binary_text.hpp>
#include <netkit/util/format.hpp>
#include <netkit/util/text.hpp>

namespace netkit::push {

namespace {

template <typename Number>
bool read_number(std::string_view word, Number& value) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return error == std::errc() && end == word.data() + word.size();
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
