// Whole command lines, one word a line: parsed, or refused by a sentence; and completed at every
// word.
#include "cli/completion.hpp"
#include "cli/parser.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace {

using netkit::ValueKind;

std::vector<netkit::ActionDef> make_actions() {
  netkit::ActionDef action;
  action.name = "send";
  action.summary = "sends";
  action.arguments = {{.name = "ADDRESS", .kind = ValueKind::address},
                      {.name = "TEXT", .optional = true, .repeatable = true}};
  action.common = 0x1FF;
  action.options = {
      {.name = "udp", .help = "a flag"},
      {.name = "flows", .kind = ValueKind::integer, .help = "n", .min = 1, .max = 100},
      {.name = "pace", .kind = ValueKind::number, .help = "n"},
      {.name = "size", .letter = 's', .kind = ValueKind::size, .help = "n"},
      {.name = "rate", .kind = ValueKind::rate, .help = "n"},
      {.name = "loss", .kind = ValueKind::percent, .help = "n"},
      {.name = "bind", .kind = ValueKind::address, .help = "n"},
      {.name = "allow", .kind = ValueKind::cidr, .help = "n", .repeatable = true},
      {.name = "source", .kind = ValueKind::ip, .help = "n"},
      {.name = "interface", .kind = ValueKind::interface, .help = "n"},
      {.name = "mode", .kind = ValueKind::choice, .help = "n", .choices = {"skip", "drop"}},
      {.name = "since", .kind = ValueKind::count_or_word, .help = "n", .choices = {"all"}},
  };
  return {action};
}

const std::vector<netkit::ActionDef>& actions() {
  static const std::vector<netkit::ActionDef> kActions = make_actions();
  return kActions;
}

std::vector<std::string> lines(std::string_view input) {
  std::vector<std::string> words;
  while (!input.empty()) {
    const std::size_t end = std::min(input.find('\n'), input.size());
    words.emplace_back(input.substr(0, end));
    input.remove_prefix(std::min(end + 1, input.size()));
  }
  return words;
}

void parse_words(const std::vector<std::string>& words) {
  try {
    const netkit::Values values =
        netkit::parse(actions().front(), words, {.command = "echo", .actions = actions()});
    // What was accepted can be read in its kind.
    values.duration("wait");
    values.duration("stats");
    values.size("size");
    values.number("rate");
    values.number("loss");
    values.number("pace");
    const auto flows = values.integer("flows");
    if (values.has("flows") && (flows < 1 || flows > 100)) std::abort();
    if (values.count("verbose") < 0) std::abort();
  } catch (const netkit::UsageError& error) {
    if (std::string_view(error.what()).empty()) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<std::string> words =
      lines(std::string_view(reinterpret_cast<const char*>(data), size));
  // Regular expressions are the library's, which recurses; --until is not in the actions above.
  parse_words(words);
  const std::vector<netkit::Candidate> commands{{"echo", "echoes"}};
  const netkit::CompletionSource source{
      .commands = [&commands] { return commands; },
      .actions = [](const std::string&) { return std::span<const netkit::ActionDef>(actions()); }};
  std::vector<std::string> typed{"echo", "send"};
  typed.insert(typed.end(), words.begin(), words.end());
  const std::string& last = typed.back();
  const netkit::Completion completion = netkit::complete(typed, source);
  for (const netkit::Candidate& candidate : completion.candidates) {
    if (!candidate.word.starts_with(last)) std::abort();
  }
  netkit::to_text(completion);
  return 0;
}
