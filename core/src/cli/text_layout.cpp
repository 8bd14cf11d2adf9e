#include "cli/help.hpp"

#include <algorithm>

namespace netkit {
namespace {

// One paragraph or line; ends with a newline.
void append_paragraph(HelpText& out, std::string_view text, std::size_t indent, std::size_t at) {
  std::size_t column = at;
  bool first = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    const std::size_t width = columns(word);
    if (!first && column + 1 + width > out.width()) {
      out += "\n";
      column = 0;
      first = true;
    }
    if (first && column < indent) {
      out += std::string(indent - column, ' ');
      column = indent;
    } else if (!first) {
      out += " ";
      ++column;
    }
    out += word;
    column += width;
    first = false;
  }
  out += "\n";
}

}  // namespace

HelpText& HelpText::operator+=(std::string_view text) {
  text_ += text;
  return *this;
}

std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

void append_wrapped(HelpText& out, std::string_view text, std::size_t indent, std::size_t at) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) {
      out += "\n";
    } else {
      append_paragraph(out, line, indent, at);
    }
    at = 0;
  }
}

void append_row(HelpText& out, std::string_view left, std::string_view right, std::size_t split) {
  // Where two columns would leave little for the second one.
  constexpr std::size_t kNarrow = 60;
  constexpr std::size_t kNarrowSplit = 10;
  if (out.width() < kNarrow) split = std::min(split, kNarrowSplit);
  out += "  ";
  out += left;
  const std::size_t used = 2 + columns(left);
  if (right.empty()) {
    out += "\n";
  } else if (used + 2 > split) {
    out += "\n";
    append_wrapped(out, right, split);
  } else {
    append_wrapped(out, right, split, used);
  }
}

}  // namespace netkit
