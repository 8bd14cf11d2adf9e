// `netkit completion SHELL` and `netkit __complete WORDS…`.
#include "cli/completion.hpp"
#include "cli/shell_line.hpp"
#include "commands.hpp"
#include "io/prompt.hpp"
#include "made.hpp"

#include <algorithm>

#include <netkit/net/address_spec.hpp>
#include <netkit/util/digits.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

constexpr std::size_t kMost = 20;

// `COMMAND ACTION PORT`: a number further on may be anything.
bool is_address(const std::string& word, std::size_t index) {
  const std::size_t colon = word.rfind(':');
  if (!is_digits(colon == word.npos ? word : word.substr(colon + 1))) return false;
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

// Addresses that were typed at the shell's prompt: from its history, the latest first, each once,
// at most twenty: words with a port in figures, and ports that stand where a command's address
// does.
std::vector<std::string> recent_addresses() {
  const std::vector<std::string> lines = HistoryFile(kShellHistory).load();
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

std::vector<Candidate> candidates(const std::vector<CommandSummary>& rows) {
  std::vector<Candidate> out;
  out.reserve(rows.size());
  for (const CommandSummary& row : rows) out.push_back({row.name, row.summary});
  return out;
}

void append(std::vector<Candidate>& to, std::vector<Candidate> more) {
  to.insert(to.end(), more.begin(), more.end());
}

std::vector<Candidate> command_candidates(const App& app) {
  std::vector<Candidate> out = candidates(plugin_rows(app));
  append(out, candidates(builtin_rows()));
  append(out, candidates(external_rows(app)));
  return out;
}

// A broken plugin completes nothing; the reason cannot be shown in the shell.
std::optional<std::span<const ActionDef>> actions_of(App& app, const std::string& command) {
  if (const Builtin* builtin = find_builtin(command)) return builtin->actions;
  try {
    if (!app.registry().find(command)) return std::nullopt;
    return app.plugin(command).actions();
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

Completion matching(std::vector<Candidate> all, const std::string& typed) {
  std::erase_if(all, [&](const Candidate& one) { return !one.word.starts_with(typed); });
  return {.candidates = std::move(all)};
}

// Arguments of netkit's own words that are names: no value kind knows them.
std::optional<Completion> complete_names(App& app, std::span<const std::string> words) {
  const std::string& typed = words.back();
  if (typed.starts_with('-')) return std::nullopt;
  if (words.size() == 2 && words[0] == "completion") {
    return matching({{"bash"}, {"zsh"}, {"fish"}}, typed);
  }
  if (words.size() == 2 && words[0] == "config")
    return matching(candidates(plugin_rows(app)), typed);
  if (words.size() == 2 && words[0] == "help") {
    std::vector<Candidate> topics = command_candidates(app);
    for (const HelpTopic& topic : help_topics()) {
      topics.push_back({std::string(topic.name), std::string(topic.summary)});
    }
    return matching(std::move(topics), typed);
  }
  if (words.size() == 3 && words[0] == "help") {
    std::vector<Candidate> names;
    const auto actions = actions_of(app, words[1]).value_or(std::span<const ActionDef>());
    for (const ActionDef& action : actions) {
      if (!action.name.empty())
        names.push_back({std::string(action.name), std::string(action.summary)});
    }
    return matching(std::move(names), typed);
  }
  return std::nullopt;
}

// Addresses that were used in the shell before, where one may stand; behind `--name=` as well.
void add_recent_addresses(Completion& found, const std::string& typed) {
  if (!found.address) return;
  const std::size_t equals = typed.starts_with("--") ? typed.find('=') : typed.npos;
  const std::string before = equals == typed.npos ? "" : typed.substr(0, equals + 1);
  for (const std::string& address : recent_addresses()) {
    const std::string word = before + address;
    if (word.starts_with(typed)) found.candidates.push_back({word, "used before"});
  }
}

}  // namespace

int run_completion(App&, const ActionDef&, const Values& values) {
  const std::string& shell = values.arguments().front();
  if (shell == "bash") {
    print(kBashCompletion);
  } else if (shell == "zsh") {
    print(kZshCompletion);
  } else if (shell == "fish") {
    print(kFishCompletion);
  } else {
    throw UsageError("'" + escaped_text(shell) + "' is not bash, zsh or fish");
  }
  return 0;
}

Completion complete_words(App& app, std::span<const std::string> words) {
  // `netkit --plugin-dir DIR e<TAB>`: what is complete has its effect here as well.
  std::optional<App> named;
  App* used = &app;
  std::span<const std::string> rest = words;
  try {
    if (!words.empty() && words.front().starts_with('-')) {
      const std::vector<std::string> before(words.begin(), words.end() - 1);
      named.emplace(before);
      used = &*named;
      rest = words.subspan(before.size() - named->invocation().words.size());
    }
  } catch (const UsageError&) {
    // Not complete yet; complete() knows the rest.
  }
  if (rest.empty()) rest = words;
  const CompletionSource source{
      .commands = [used] { return command_candidates(*used); },
      .actions = [used](const std::string& command) { return actions_of(*used, command); }};
  if (rest.empty()) return {};
  if (auto names = complete_names(*used, rest)) return *names;
  Completion found = complete(rest, source);
  add_recent_addresses(found, rest.back());
  return found;
}

int run_complete(App& app, std::span<const std::string> words) {
  print(to_text(complete_words(app, words)));
  return 0;
}

}  // namespace netkit
