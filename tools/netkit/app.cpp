#include "app.hpp"

#include "cli/help.hpp"
#include "made.hpp"
#include "plugin/registry.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <unistd.h>

#include <fmt/format.h>

#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/terminal.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

namespace fs = std::filesystem;

class Reader {
 public:
  explicit Reader(std::span<const std::string> words) : words_(words) {}

  Invocation run() {
    while (at_ < words_.size() && words_[at_].size() > 1 && words_[at_][0] == '-') {
      const std::string& word = words_[at_++];
      if (word == "--") break;
      take(word);
    }
    out_.words.assign(words_.begin() + static_cast<std::ptrdiff_t>(at_), words_.end());
    return std::move(out_);
  }

 private:
  void take(const std::string& word) {
    const std::string name = word.substr(0, word.find('='));
    if (name == "--plugin-dir") {
      const fs::path folder = value(word, name);
      if (!fs::is_directory(folder)) {
        throw UsageError("--plugin-dir: '" + escaped_text(folder.string()) +
                         "' is not a directory");
      }
      out_.plugin_dirs.push_back(folder);
    } else if (name == "--config") {
      out_.config = value(word, name);
    } else if (word == "--help" || word == "-h") {
      out_.help = word == "-h" ? HelpWish::brief : HelpWish::full;
    } else if (word == "--version" || word == "-V") {
      out_.version = true;
    } else {
      unknown(name);
    }
  }

  std::string value(const std::string& word, const std::string& name) {
    if (word.size() > name.size()) return word.substr(name.size() + 1);
    if (at_ == words_.size()) throw UsageError(name + " needs a value");
    return words_[at_++];
  }

  [[noreturn]] static void unknown(const std::string& name) {
    constexpr std::array<std::string_view, 4> kNames{"--plugin-dir", "--config", "--help",
                                                     "--version"};
    if (std::ranges::find(kNames, name) != kNames.end()) {
      throw UsageError(name + " takes no value");
    }
    throw UsageError("unknown option '" + escaped_text(name) +
                     "' before the command; a command's own options come after it" +
                     did_you_mean(name, kNames));
  }

  std::span<const std::string> words_;
  std::size_t at_ = 0;
  Invocation out_;
};

Registry make_registry(const Invocation& invocation) {
  return {plugin_folders({.named = invocation.plugin_dirs,
                          .environment = environment_variable,
                          .installed = executable_folder() / NETKIT_BIN_TO_PLUGINS}),
          linked_plugins(), linked_stores()};
}

}  // namespace

Invocation read_invocation(std::span<const std::string> words) {
  return Reader(words).run();
}

App::App(std::vector<std::string> words)
    : invocation_(read_invocation(words)), registry_(make_registry(invocation_)) {}

ParseContext App::parse_context(std::string_view command,
                                std::span<const ActionDef> actions) const {
  ParseContext context{.command = command, .actions = actions, .environment = environment_variable};
  context.config = [this](const std::string& named) {
    const std::string& path = named.empty() ? invocation_.config : named;
    if (!path.empty()) return std::vector<ConfigFile>{ConfigFile::read(path)};
    return read_config_files(config_candidates(environment_variable));
  };
  context.is_command = [this](std::string_view section) {
    return registry_.find(section).has_value();
  };
  return context;
}

std::vector<std::filesystem::path> App::config_paths() const {
  if (!invocation_.config.empty()) return {invocation_.config};
  return config_candidates(environment_variable);
}

Plugin& App::plugin(const std::string& name) {
  const auto at = std::ranges::find(loaded_, name, &std::pair<std::string, PluginPtr>::first);
  if (at != loaded_.end()) return *at->second;
  loaded_.emplace_back(name, registry_.load(name));
  return *loaded_.back().second;
}

std::size_t help_width() {
  constexpr std::size_t kNarrowest = 40;
  return std::clamp(terminal_columns(STDOUT_FILENO).value_or(kHelpWidth), kNarrowest, kHelpWidth);
}

void print_help(std::string_view text) {
  if (!takes_colors(STDOUT_FILENO)) return print(text);
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    const std::string_view line = text.substr(0, end);
    const bool is_heading = line.front() >= 'A' && line.front() <= 'Z' && line.ends_with(":\n");
    if (is_heading) {
      out += fmt::format("\x1b[1m{}\x1b[0m\n", line.substr(0, end - 1));
    } else {
      out += line;
    }
    text.remove_prefix(end);
  }
  print(out);
}

void print(std::string_view text) {
  if (const int error = write_all(STDOUT_FILENO, text); error != 0) {
    throw SystemError(error, "cannot write to standard output", ExitStatus::output);
  }
}

}  // namespace netkit
