#include "cli/parser.hpp"

#include "cli/argument_check.hpp"
#include "cli/value_check.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <netkit/util/error.hpp>
#include <netkit/util/suggest.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

using Origin = Values::Origin;
using ValueMap = std::map<std::string, Values::Value, std::less<>>;

// A flag that is on nothing but itself counts 1.
std::string stored(const OptionDef& option, std::string text) {
  if (option.kind != ValueKind::flag) return text;
  return std::to_string(read_flag(text).value_or(0));
}

class Parser {
 public:
  Parser(const ActionDef& action, const ParseContext& context)
      : action_(action), context_(context), options_(effective_options(action)) {}

  Values run(std::span<const std::string> words) {
    const std::vector<Token> tokens = tokenize(options_, words);
    for (const OptionDef& option : options_.all()) values_[std::string(option.name)] = {};
    take_defaults();
    if (context_.config) take_files(context_.config(named_config(tokens)));
    if (context_.environment) take_environment();
    std::vector<std::string> arguments = take_words(tokens);
    settle_conflicts();
    if (!context_.without_arguments) check_arguments(action_, arguments, hint_of(tokens));
    return {std::move(values_), std::move(arguments)};
  }

 private:
  void take_defaults() {
    for (const OptionDef& option : options_.all()) {
      if (option.default_value.empty()) continue;
      values_[std::string(option.name)] = {
          {std::string(option.default_value)}, Origin::default_value, {}};
    }
  }

  static std::string named_config(const std::vector<Token>& tokens) {
    std::string path;
    for (const Token& token : tokens) {
      if (token.option == "config") path = token.value.value_or("");
    }
    return path;
  }

  // The least important first, each replacing what was there.
  void take_files(const std::vector<ConfigFile>& files) {
    for (auto file = files.rbegin(); file != files.rend(); ++file) {
      check_sections(*file);
      ValueMap found;
      for (const ConfigEntry& entry : file->entries()) {
        if (entry.section == context_.command) take_entry(*file, entry, found);
      }
      for (auto& [name, value] : found) values_[name] = std::move(value);
    }
  }

  void check_sections(const ConfigFile& file) const {
    if (!context_.is_command) return;
    for (const ConfigSection& section : file.sections()) {
      if (section.name == context_.command || context_.is_command(section.name)) continue;
      throw Error(ExitStatus::config, file.where(section.line) + ": there is no command '" +
                                          escaped_text(section.name) + "'");
    }
  }

  void take_entry(const ConfigFile& file, const ConfigEntry& entry, ValueMap& found) const {
    const OptionDef* option = options_.by_name(entry.key);
    const bool mine = option != nullptr;
    OptionSet others;
    for (auto other = context_.actions.begin(); option == nullptr; ++other) {
      if (other == context_.actions.end()) unknown_key(file, entry);
      others = effective_options(*other);
      option = others.by_name(entry.key);
    }
    if (option->no_environment) {
      throw Error(ExitStatus::config, file.where(entry.line) + ": --" + entry.key +
                                          " can be given on the command line only");
    }
    try {
      check_value(*option, entry.value);
    } catch (const UsageError& error) {
      throw Error(ExitStatus::config,
                  file.where(entry.line) + ": " + entry.key + ": " + error.what());
    }
    if (!mine) return;
    Values::Value& value = found[entry.key];
    if (!option->repeatable || option->kind == ValueKind::flag) value.texts.clear();
    value.texts.push_back(stored(*option, entry.value));
    value.origin = Origin::file;
    value.where = file.where(entry.line);
  }

  [[noreturn]] void unknown_key(const ConfigFile& file, const ConfigEntry& entry) const {
    std::vector<std::string> names;
    for (const ActionDef& action : context_.actions) {
      const OptionSet options = effective_options(action);
      for (const OptionDef& option : options.all()) names.emplace_back(option.name);
    }
    const std::vector<std::string_view> views(names.begin(), names.end());
    throw Error(ExitStatus::config, file.where(entry.line) + ": " + std::string(context_.command) +
                                        " has no option '" + escaped_text(entry.key) + "'" +
                                        did_you_mean(entry.key, views));
  }

  // An empty variable is one that is not set.
  void take_environment() {
    for (const OptionDef& option : options_.all()) {
      if (option.no_environment) continue;
      const std::string variable = environment_name(context_.command, option.name);
      const auto text = context_.environment(variable);
      if (!text || text->empty()) continue;
      try {
        check_value(option, *text);
      } catch (const UsageError& error) {
        throw UsageError(variable + ": " + error.what());
      }
      values_[std::string(option.name)] = {{stored(option, *text)}, Origin::environment, variable};
    }
  }

  std::vector<std::string> take_words(const std::vector<Token>& tokens) {
    std::vector<std::string> arguments;
    for (const Token& token : tokens) {
      if (token.option.empty()) {
        arguments.push_back(token.value.value_or(""));
        continue;
      }
      const OptionDef& option = *options_.by_name(token.option);
      Values::Value& value = values_.find(token.option)->second;
      if (value.origin != Origin::command_line) value = {{}, Origin::command_line, {}};
      take_word(option, token, value);
    }
    return arguments;
  }

  // `--stats 9000` was meant to be `--stats` and a port.
  std::string hint_of(const std::vector<Token>& tokens) const {
    for (const Token& token : tokens) {
      const OptionDef* option = options_.by_name(token.option);
      const bool took_one = option != nullptr && option->kind == ValueKind::optional_duration &&
                            !token.value.value_or("").empty();
      if (took_one) return ", as '" + *token.value + "' is the value of --" + token.option;
    }
    return {};
  }

  static void take_word(const OptionDef& option, const Token& token, Values::Value& value) {
    if (option.kind == ValueKind::flag) {
      const std::int64_t before = value.texts.empty() ? 0 : *read_integer(value.texts.front());
      value.texts = {std::to_string(before + 1)};
      return;
    }
    const std::string text = token.value.value_or("");
    try {
      check_value(option, text);
    } catch (const UsageError& error) {
      throw UsageError("--" + token.option + ": " + error.what());
    }
    if (!option.repeatable) value.texts.clear();
    value.texts.push_back(text);
  }

  // Of two that contradict each other the one from the stronger origin stays; two of the same are a
  // mistake.
  void settle_conflicts() {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kPairs{
        {{"json", "raw"}, {"raw", "template"}, {"quiet", "verbose"}}};
    for (const auto& [first, second] : kPairs) {
      Values::Value* a = set(first);
      Values::Value* b = set(second);
      if (a == nullptr || b == nullptr) continue;
      if (a->origin == b->origin) {
        throw UsageError("--" + std::string(first) + " and --" + std::string(second) +
                         " exclude each other");
      }
      (a->origin < b->origin ? *a : *b) = {};
    }
  }

  Values::Value* set(std::string_view name) {
    const auto at = values_.find(name);
    if (at == values_.end() || at->second.origin <= Origin::default_value) return nullptr;
    const bool is_flag = options_.by_name(name)->kind == ValueKind::flag;
    return is_flag && at->second.texts.front() == "0" ? nullptr : &at->second;
  }

  const ActionDef& action_;
  const ParseContext& context_;
  OptionSet options_;
  ValueMap values_;
};

}  // namespace

HelpWish help_wish(const OptionSet& options, std::span<const std::string> words) {
  const OptionDef* letter = options.by_letter('h');
  const bool brief = letter != nullptr && letter->name == "help";
  for (const std::string& word : words) {
    if (word == "--") break;
    if (word == "--help") return HelpWish::full;
    if (word == "-h" && brief) return HelpWish::brief;
  }
  return HelpWish::none;
}

Values parse(const ActionDef& action, std::span<const std::string> words,
             const ParseContext& context) {
  return Parser(action, context).run(words);
}

std::string environment_name(std::string_view command, std::string_view option) {
  std::string name = "NETKIT_" + std::string(command) + "_" + std::string(option);
  std::ranges::transform(name, name.begin(), [](char c) {
    if (c >= 'a' && c <= 'z') return static_cast<char>(c - 'a' + 'A');
    return c == '-' ? '_' : c;
  });
  return name;
}

}  // namespace netkit
