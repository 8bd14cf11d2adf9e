#include "cli/parser.hpp"

#include <boost/program_options/errors.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <fmt/format.h>

#include <netkit/util/error.hpp>
#include <netkit/util/quantity.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

namespace po = boost::program_options;

// "D, such as 500ms": the value's name, and where that says little, what one looks like.
std::string with_example(const OptionDef& option) {
  std::string name = value_name(option);
  const auto such_as = [&name](std::string_view example) {
    return fmt::format("{}, such as {}", name, example);
  };
  switch (option.kind) {
    case ValueKind::duration:
      return such_as("500ms");
    case ValueKind::size:
      return such_as("64k");
    case ValueKind::percent:
      return such_as("1%");
    case ValueKind::template_text:
      return such_as("'{time} {text}'");
    case ValueKind::cidr:
      return such_as("192.0.2.0/24");
    default:
      return name;
  }
}

// Boost splits the line and keeps the order; how a single word reads is decided here. Its own rules
// refuse `--name=`, take `--bogus` but not `-q` for a value, and know no optional values.
class WordReader {
 public:
  WordReader(const OptionSet& options, std::string_view address)
      : options_(options), address_(address) {}

  // A style parser of Boost: takes words from the front of `words`, or none when they are not its
  // own.
  std::vector<po::option> operator()(std::vector<std::string>& words) const {
    const std::string word = words.front();
    if (word == "--" || !word.starts_with('-')) return {};
    words.erase(words.begin());
    if (!looks_like_option(word)) return {po::option(std::string(), {word})};
    if (word.starts_with("--")) return {long_option(word, words)};
    return short_options(word, words);
  }

  bool looks_like_option(std::string_view word) const {
    if (word.size() < 2 || word[0] != '-') return false;
    const bool negative = word[1] == '.' || (word[1] >= '0' && word[1] <= '9');
    return !negative || options_.by_letter(word[1]) != nullptr;
  }

 private:
  po::option long_option(std::string_view word, std::vector<std::string>& rest) const {
    const std::size_t equals = word.find('=');
    const std::string_view name = word.substr(2, equals == word.npos ? word.npos : equals - 2);
    const OptionDef* option = options_.by_name(name);
    if (option == nullptr) unknown_long(name);
    if (equals == word.npos) return with_next(*option, "--" + std::string(name), rest);
    if (option->kind == ValueKind::flag) {
      throw UsageError("--" + std::string(name) + " takes no value");
    }
    return made(*option, std::string(word.substr(equals + 1)));
  }

  std::vector<po::option> short_options(std::string_view word,
                                        std::vector<std::string>& rest) const {
    std::vector<po::option> out;
    for (std::size_t i = 1; i < word.size(); ++i) {
      const OptionDef* option = options_.by_letter(word[i]);
      if (option == nullptr) unknown_letter(word, i);
      const std::string_view attached = word.substr(i + 1);
      const bool takes = needs_value(*option) ||
                         (option->kind == ValueKind::optional_duration && read_duration(attached));
      if (takes && !attached.empty()) {
        out.push_back(made(*option, std::string(attached)));
        break;
      }
      std::vector<std::string> none;
      out.push_back(with_next(*option, std::string("-") + word[i], attached.empty() ? rest : none));
    }
    return out;
  }

  po::option with_next(const OptionDef& option, const std::string& as_typed,
                       std::vector<std::string>& rest) const {
    if (option.kind == ValueKind::flag) return made(option, std::nullopt);
    if (!needs_value(option)) return made(option, std::string());
    if (rest.empty()) {
      throw UsageError(as_typed + " needs a value (" + with_example(option) + ")");
    }
    if (is_known_option(rest.front())) {
      throw UsageError(as_typed + " needs a value (" + with_example(option) + "), and '" +
                       rest.front() + "' is an option; write --" + std::string(option.name) + "=" +
                       rest.front() + " if it is the value");
    }
    po::option taken = made(option, rest.front());
    rest.erase(rest.begin());
    return taken;
  }

  bool is_known_option(std::string_view word) const {
    if (word == "--") return true;
    if (word.starts_with("--")) return options_.by_name(word.substr(2, word.find('=') - 2));
    return word.size() == 2 && word[0] == '-' && options_.by_letter(word[1]);
  }

  static po::option made(const OptionDef& option, std::optional<std::string> value) {
    po::option out(std::string(option.name), {});
    if (value) out.value.push_back(std::move(*value));
    return out;
  }

  [[noreturn]] void unknown_long(std::string_view name) const {
    std::vector<std::string_view> names;
    for (const OptionDef& option : options_.all()) names.push_back(option.name);
    const std::string_view nearest = suggest(name, names);
    std::string hint = nearest.empty() ? "" : fmt::format("; did you mean '--{}'?", nearest);
    if (name == "port" || name == "host") hint = address_hint(name);
    throw UsageError("unknown option '--" + escaped_text(name) + "'" + hint);
  }

  // Where other programs have options for its parts; empty: the action has no address.
  std::string address_hint(std::string_view part) const {
    if (address_.empty()) return {};
    return fmt::format("; the {} is part of {} (write HOST:PORT)", part, address_);
  }

  // `-json` was meant to be `--json`.
  [[noreturn]] void unknown_letter(std::string_view word, std::size_t at) const {
    const std::string_view name = word.substr(1, word.find('=') - 1);
    const bool one_dash = name.size() > 1 && options_.by_name(name) != nullptr;
    std::string hint = one_dash ? "; did you mean '--" + std::string(name) + "'?" : "";
    if (word[at] == 'p' && !one_dash) hint = address_hint("port");
    // All bytes of the letter, which may be more than one in UTF-8.
    std::size_t end = at + 1;
    while (end < word.size() && (static_cast<unsigned char>(word[end]) & 0xC0) == 0x80) ++end;
    throw UsageError("unknown option '-" + escaped_text(word.substr(at, end - at)) + "'" + hint);
  }

  const OptionSet& options_;
  std::string_view address_;
};

po::options_description describe(const OptionSet& options) {
  po::options_description description;
  for (const OptionDef& option : options.all()) {
    auto* value = po::value<std::string>();
    if (option.kind == ValueKind::flag) value->zero_tokens();
    description.add_options()(std::string(option.name).c_str(), value);
  }
  return description;
}

}  // namespace

std::vector<Token> tokenize(const OptionSet& options, std::span<const std::string> words,
                            std::string_view address) {
  namespace style = po::command_line_style;
  const po::options_description description = describe(options);
  // Guessing stays off: an abbreviation would change its meaning with the next option added.
  constexpr int kStyle = style::unix_style & ~style::allow_guessing;
  std::vector<Token> tokens;
  try {
    const po::parsed_options parsed =
        po::command_line_parser(std::vector<std::string>(words.begin(), words.end()))
            .options(description)
            .style(kStyle)
            .extra_style_parser(WordReader(options, address))
            .run();
    for (const po::option& option : parsed.options) {
      Token token{option.string_key};
      if (!option.value.empty()) token.value = option.value.front();
      tokens.push_back(std::move(token));
    }
  } catch (const po::error& error) {
    throw UsageError(error.what());
  }
  return tokens;
}

}  // namespace netkit
