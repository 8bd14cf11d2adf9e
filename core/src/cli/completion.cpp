#include "cli/completion.hpp"

#include "cli/option_set.hpp"

#include <algorithm>
#include <filesystem>
#include <net/if.h>
#include <string>
#include <utility>

#include <netkit/util/quantity.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

namespace fs = std::filesystem;

// More names than anybody reads; a folder of a million files must not hold the shell.
constexpr std::size_t kMaxFiles = 1000;

void add_interfaces(std::vector<Candidate>& out) {
  struct if_nameindex* all = ::if_nameindex();
  if (all == nullptr) return;
  for (const struct if_nameindex* one = all; one->if_index != 0; ++one) {
    out.push_back({one->if_name, "interface"});
  }
  ::if_freenameindex(all);
}

// `file:/var/lo` as `file:/var/log/`: the shell does not know that a path follows the colon.
Completion files_after(std::string_view scheme, std::string_view path) {
  Completion out;
  const std::size_t slash = path.rfind('/');
  const std::string folder(path.substr(0, slash == path.npos ? 0 : slash + 1));
  const std::string_view begun = path.substr(folder.size());
  std::error_code error;
  for (fs::directory_iterator entry(folder.empty() ? "." : folder, error), end;
       !error && entry != end && out.candidates.size() < kMaxFiles; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(begun) || (begun.empty() && name.starts_with('.'))) continue;
    std::error_code unknown;
    const bool is_folder = entry->is_directory(unknown);
    std::string word(scheme);
    word.append(folder).append(name).append(is_folder ? "/" : "");
    out.candidates.push_back({std::move(word)});
    if (is_folder) out.directive = Directive::nospace;
  }
  return out;
}

Completion schemes(std::string_view typed, bool sink) {
  if (typed.starts_with("file:")) return files_after("file:", typed.substr(5));
  if (!sink && typed.starts_with("unix:")) return files_after("unix:", typed.substr(5));
  Completion out;
  out.candidates = {{"-", sink ? "standard output" : "standard input, one record per line"},
                    {"file:", sink ? "append to a file" : "a file, one record per line"},
                    {"exec:", sink ? "a command per record" : "the output of a command"}};
  out.candidates.push_back({"udp:", sink ? "HOST:PORT, one datagram per record"
                                         : "ADDRESS to listen on, one record per datagram"});
  if (sink) {
    out.candidates.push_back({"broadcast:", "HOST:PORT"});
    out.candidates.push_back({"multicast:", "GROUP:PORT"});
  } else {
    out.candidates.push_back({"tcp:", "ADDRESS to listen on, one record per line"});
    out.candidates.push_back({"unix:", "PATH of a socket to create, one record per line"});
  }
  out.directive = Directive::nospace;
  return out;
}

Completion fields() {
  Completion out;
  for (const char* field : {"text", "peer", "ip", "port", "name", "seq", "time", "date", "ctime",
                            "host", "event", "id"}) {
    out.candidates.push_back({"{" + std::string(field) + "}"});
  }
  out.directive = Directive::nospace;
  return out;
}

// All that may be put there; those that do not begin with `typed` may be among them.
Completion complete_value(const OptionDef& option, std::string_view typed) {
  Completion out;
  for (const std::string_view choice : option.choices)
    out.candidates.push_back({std::string(choice)});
  switch (option.kind) {
    case ValueKind::interface:
      add_interfaces(out.candidates);
      return out;
    case ValueKind::path:
      out.directive = Directive::file;
      return out;
    case ValueKind::source:
      return schemes(typed, false);
    case ValueKind::sink:
      return schemes(typed, true);
    case ValueKind::template_text:
      return fields();
    case ValueKind::address:
    case ValueKind::addresses:
    case ValueKind::listen_address:
    case ValueKind::stream:
    case ValueKind::streams:
    case ValueKind::listen_stream:
      out.address = true;
      return out;
    case ValueKind::duration:
      if (typed.empty()) out.candidates.push_back({"none", "never"});
      return out;
    default:
      return out;
  }
}

// The words before the one that is being typed, read as far as completion has to.
struct State {
  std::size_t arguments = 0;        // complete positional words
  const OptionDef* open = nullptr;  // the option whose value comes next
  bool options_ended = false;       // by `--`
  std::vector<std::string_view> seen{};
};

// The option whose value is the next word, if `word` leaves one open; what it names is added to
// `seen`.
const OptionDef* read_option(const OptionSet& options, std::string_view word,
                             std::vector<std::string_view>& seen) {
  if (word.starts_with("--")) {
    const OptionDef* option = options.by_name(word.substr(2, word.find('=') - 2));
    if (option == nullptr) return nullptr;
    seen.push_back(option->name);
    const bool open = needs_value(*option) && word.find('=') == word.npos;
    return open ? option : nullptr;
  }
  for (std::size_t i = 1; i < word.size(); ++i) {
    const OptionDef* option = options.by_letter(word[i]);
    if (option == nullptr) return nullptr;
    seen.push_back(option->name);
    if (needs_value(*option)) return i + 1 == word.size() ? option : nullptr;
  }
  return nullptr;
}

State read_before(const OptionSet& options, std::span<const std::string> before) {
  State state;
  for (const std::string& word : before) {
    if (state.open != nullptr) {
      state.open = nullptr;
      continue;
    }
    if (state.options_ended || word.size() < 2 || word[0] != '-') {
      ++state.arguments;
    } else if (word == "--") {
      state.options_ended = true;
    } else {
      state.open = read_option(options, word, state.seen);
    }
  }
  return state;
}

void keep_matching(Completion& completion, std::string_view typed) {
  std::erase_if(completion.candidates,
                [typed](const Candidate& candidate) { return !candidate.word.starts_with(typed); });
}

bool is_one_of(const std::vector<std::string_view>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

// Whether an option that was typed contradicts it.
bool is_excluded(const OptionSet& options, const State& state, const OptionDef& option) {
  return std::ranges::any_of(state.seen, [&](std::string_view name) {
    return is_one_of(option.excludes, name) ||
           is_one_of(options.by_name(name)->excludes, option.name);
  });
}

Completion option_names(const OptionSet& options, const State& state, std::string_view typed) {
  Completion out;
  for (const OptionDef& option : options.all()) {
    const bool used = is_one_of(state.seen, option.name);
    if ((used && !option.repeatable) || (!used && is_excluded(options, state, option))) continue;
    out.candidates.push_back({"--" + std::string(option.name), std::string(option.help)});
  }
  keep_matching(out, typed);
  return out;
}

// `--name=VAL`
Completion attached_value(const OptionSet& options, std::string_view typed) {
  const std::size_t equals = typed.find('=');
  const OptionDef* option = options.by_name(typed.substr(2, equals - 2));
  if (option == nullptr || option->kind == ValueKind::flag) return {};
  const std::string_view value = typed.substr(equals + 1);
  Completion out = complete_value(*option, value);
  keep_matching(out, value);
  for (Candidate& candidate : out.candidates) {
    candidate.word.insert(0, typed.substr(0, equals + 1));
  }
  return out;
}

Completion argument_value(const ActionDef& action, std::size_t index, std::string_view typed) {
  if (action.arguments.empty()) return {};
  // An address may have been two words; what counts is what comes last.
  const std::size_t last = action.arguments.size() - 1;
  if (index > last && !action.arguments[last].repeatable) return {};
  const ArgumentDef& argument = action.arguments[std::min(index, last)];
  Completion out = complete_value({.name = argument.name, .kind = argument.kind}, typed);
  keep_matching(out, typed);
  return out;
}

Completion within_action(const ActionDef& action, std::span<const std::string> words) {
  const OptionSet options = effective_options(action);
  const std::string& typed = words.back();
  const State state = read_before(options, words.first(words.size() - 1));
  if (state.open != nullptr) {
    Completion out = complete_value(*state.open, typed);
    keep_matching(out, typed);
    return out;
  }
  if (!state.options_ended && typed.starts_with("--") && typed.find('=') != typed.npos) {
    return attached_value(options, typed);
  }
  if (!state.options_ended && typed.starts_with('-')) return option_names(options, state, typed);
  return argument_value(action, state.arguments, typed);
}

const ActionDef* omitted_action(std::span<const ActionDef> actions) {
  const auto at = std::ranges::find_if(actions, &ActionDef::may_be_omitted);
  return at == actions.end() ? nullptr : &*at;
}

Completion within_command(std::span<const ActionDef> actions, std::span<const std::string> words) {
  const auto named = std::ranges::find(actions, words.front(), &ActionDef::name);
  const ActionDef* omitted = omitted_action(actions);
  if (words.size() > 1 && named != actions.end()) return within_action(*named, words.subspan(1));
  Completion out = omitted != nullptr ? within_action(*omitted, words) : Completion{};
  if (words.size() > 1) return out;
  for (const ActionDef& action : actions) {
    if (!action.name.empty() && std::string_view(action.name).starts_with(words.front())) {
      out.candidates.push_back({std::string(action.name), std::string(action.summary)});
    }
  }
  return out;
}

// Words before the command: options of netkit itself. The number of words that they take.
std::size_t leading_options(std::span<const std::string> words) {
  std::size_t at = 0;
  while (at < words.size() && words[at].starts_with('-')) {
    const bool takes = words[at] == "--plugin-dir" || words[at] == "--config";
    at += takes ? 2 : 1;
  }
  return at;
}

Completion first_word(const std::string& typed, const CompletionSource& source) {
  Completion out;
  if (typed.starts_with('-')) {
    out.candidates = {{"--plugin-dir", "look for plugins there first"},
                      {"--config", "read this configuration file"},
                      {"--version", "print the version"},
                      {"--help", "print help"}};
  } else {
    out.candidates = source.commands();
  }
  keep_matching(out, typed);
  return out;
}

}  // namespace

Completion complete(std::span<const std::string> words, const CompletionSource& source) {
  if (words.empty()) return {};
  const std::span<const std::string> before = words.first(words.size() - 1);
  const std::size_t skipped = leading_options(before);
  if (skipped > before.size()) {
    return {.directive = before.back() == "--plugin-dir" ? Directive::folder : Directive::file};
  }
  if (skipped == before.size()) return first_word(words.back(), source);
  const auto actions = source.actions(words[skipped]);
  if (!actions || actions->empty()) return {};
  return within_command(*actions, words.subspan(skipped + 1));
}

std::string to_text(const Completion& completion) {
  std::string out;
  for (const Candidate& candidate : completion.candidates) {
    // A newline or a tab in a file's name would be read as the end of the candidate.
    if (candidate.word.find_first_of("\t\n") != std::string::npos) continue;
    out += candidate.word;
    if (!candidate.help.empty()) out += "\t" + escaped_text(candidate.help);
    out += '\n';
  }
  switch (completion.directive) {
    case Directive::none:
      return out + ":none\n";
    case Directive::file:
      return out + ":file\n";
    case Directive::folder:
      return out + ":folder\n";
    case Directive::nospace:
      return out + ":nospace\n";
  }
  return out;
}

}  // namespace netkit
