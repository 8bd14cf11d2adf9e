#include "recent_addresses.hpp"

#include "cli/shell_line.hpp"
#include "io/history_file.hpp"

#include <algorithm>
#include <string_view>

#include <netkit/net/address_spec.hpp>
#include <netkit/util/error.hpp>

namespace netkit {
namespace {

constexpr std::size_t kMost = 20;

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

// `COMMAND ACTION PORT`: a number further on may be anything.
bool is_address(const std::string& word, std::size_t index) {
  const std::size_t colon = word.rfind(':');
  if (!is_number(colon == word.npos ? word : word.substr(colon + 1))) return false;
  if (colon == word.npos && index != 2) return false;
  try {
    return AddressSpec::parse(word, AddressRole::server).port != 0;
  } catch (const Error&) {
    return false;
  }
}

void add_addresses(std::vector<std::string>& found, const std::string& line) {
  for (const Pipeline& pipeline : parse_shell_line(line)) {
    for (const ShellCommand& command : pipeline.commands) {
      const std::size_t first = command.words.front() == "netkit" ? 1 : 0;
      for (std::size_t i = first; i < command.words.size(); ++i) {
        const std::string& word = command.words[i];
        const bool known = std::ranges::find(found, word) != found.end();
        if (!known && is_address(word, i - first)) found.push_back(word);
      }
    }
  }
}

}  // namespace

std::vector<std::string> recent_addresses() {
  const std::vector<std::string> lines = HistoryFile("shell_history").load();
  std::vector<std::string> found;
  for (auto line = lines.rbegin(); line != lines.rend() && found.size() < kMost; ++line) {
    try {
      add_addresses(found, *line);
    } catch (const Error&) {
      // A line that was refused when it was typed.
    }
  }
  if (found.size() > kMost) found.resize(kMost);
  return found;
}

}  // namespace netkit
