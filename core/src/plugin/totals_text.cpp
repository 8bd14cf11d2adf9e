#include "plugin/totals_text.hpp"

#include "record/json_text.hpp"

#include <algorithm>
#include <variant>

#include <netkit/util/format.hpp>

namespace netkit {
namespace {

// `kernel_drops` as people write it.
std::string words_of(std::string_view name) {
  std::string words(name);
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

// With three decimals at most.
void append_short(std::string& out, double value) {
  append_fixed(out, value, 3);
  if (out.find('.') == out.npos) return;
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
}

std::string short_text(const Totals::Value& value) {
  std::string text;
  if (const auto* whole = std::get_if<std::uint64_t>(&value)) {
    append_unsigned(text, *whole);
  } else {
    append_short(text, std::get<double>(value));
  }
  return text;
}

}  // namespace

std::string totals_line(const Totals& totals) {
  std::string line;
  for (const Totals::Entry& entry : totals.entries()) {
    if (!line.empty()) line += ", ";
    line += words_of(entry.name) + " " + short_text(entry.value);
  }
  return line;
}

std::string end_record(const Totals& totals, std::string_view error) {
  std::string line = "{\"type\":\"end\",\"ok\":";
  line += error.empty() ? "true" : "false";
  if (!error.empty()) {
    line += ",\"error\":";
    append_json_lossy(line, error);
  }
  for (const Totals::Entry& entry : totals.entries()) {
    line += ',';
    append_json_lossy(line, entry.name);
    line += ':';
    if (const auto* whole = std::get_if<std::uint64_t>(&entry.value)) {
      append_unsigned(line, *whole);
    } else {
      append_json_number(line, std::get<double>(entry.value));
    }
  }
  line += "}\n";
  return line;
}

}  // namespace netkit
