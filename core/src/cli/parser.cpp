#include "cli/parser.hpp"

#include "cli/checks.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>

#include <netkit/util/error.hpp>
#include <netkit/util/quantity.hpp>
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
    const std::vector<Token> tokens = tokenize(options_, words, address_name());
    for (const OptionDef& option : options_.all()) {
      values_[std::string(option.name)] = default_of(option);
    }
    if (context_.config) take_files(context_.config(named_config(tokens)));
    if (context_.environment) take_environment();
    std::vector<std::string> arguments = take_words(tokens);
    settle_exclusions();
    check_needs();
    if (!context_.without_arguments) {
      values_.merge(take_arguments(action_, arguments));
    }
    return {std::move(values_), std::move(arguments)};
  }

 private:
  static Values::Value default_of(const OptionDef& option) {
    Values::Value value{.kind = option.kind};
    if (option.default_value.empty()) return value;
    value.texts = {std::string(option.default_value)};
    value.origin = Origin::default_value;
    return value;
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
                                          " can only be given on the command line");
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
    value.kind = option->kind;
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
      values_[std::string(option.name)] = {
          {stored(option, *text)}, Origin::environment, variable, option.kind};
    }
  }

  // Of the first argument that is one; empty: none is.
  std::string_view address_name() const {
    const auto at = std::ranges::find_if(
        action_.arguments, [](const ArgumentDef& argument) { return is_address(argument.kind); });
    return at == action_.arguments.end() ? std::string_view() : at->name;
  }

  // `-i 100 ms` was meant to be `-i 100ms`.
  void refuse_parted_units(const std::vector<Token>& tokens) const {
    constexpr std::array<std::string_view, 6> kUnits{"us", "ms", "s", "m", "h", "d"};
    for (std::size_t i = 1; i < tokens.size(); ++i) {
      const OptionDef* option = options_.by_name(tokens[i - 1].option);
      if (option == nullptr || option->kind != ValueKind::duration) continue;
      const std::string number = tokens[i - 1].value.value_or("");
      const std::string unit = tokens[i].value.value_or("");
      if (!tokens[i].option.empty() || !read_number(number)) continue;
      if (std::ranges::find(kUnits, unit) == kUnits.end() || !read_duration(number + unit))
        continue;
      throw UsageError(
          fmt::format("--{}: write {}{}, without a blank", option->name, number, unit));
    }
  }

  std::vector<std::string> take_words(const std::vector<Token>& tokens) {
    refuse_parted_units(tokens);
    std::vector<std::string> arguments;
    for (const Token& token : tokens) {
      if (token.option.empty()) {
        arguments.push_back(token.value.value_or(""));
        continue;
      }
      const OptionDef& option = *options_.by_name(token.option);
      Values::Value& value = values_.find(token.option)->second;
      if (value.origin != Origin::command_line) value = {{}, Origin::command_line, {}, option.kind};
      take_word(option, token, value);
    }
    return arguments;
  }

  static void take_word(const OptionDef& option, const Token& token, Values::Value& value) {
    if (option.kind == ValueKind::flag) {
      const std::int64_t before =
          value.texts.empty() ? 0 : *read_integer<std::int64_t>(value.texts.front());
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
  void settle_exclusions() {
    for (const OptionDef& option : options_.all()) {
      for (const std::string_view excluded : option.excludes) {
        const Values::Value* a = set(option.name);
        const Values::Value* b = set(excluded);
        if (a == nullptr || b == nullptr) continue;
        if (a->origin == b->origin) {
          throw UsageError(fmt::format("--{} and --{} cannot be combined", option.name, excluded));
        }
        const OptionDef& weaker = a->origin < b->origin ? option : *options_.by_name(excluded);
        values_[std::string(weaker.name)] = default_of(weaker);
      }
    }
  }

  void check_needs() {
    for (const OptionDef& option : options_.all()) {
      const Values::Value* value = set(option.name);
      if (value == nullptr) continue;
      for (const std::string_view needed : option.needs) {
        if (set(needed) != nullptr) continue;
        throw UsageError(fmt::format("{}{}--{} needs --{}", value->where,
                                     value->where.empty() ? "" : ": ", option.name, needed));
      }
    }
  }

  // A value that was given, not a default.
  const Values::Value* set(std::string_view name) const {
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

Values parse_words(const ActionDef& action, std::span<const std::string> words) {
  return parse(action, words, {.command = {}, .actions = {&action, 1}});
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
