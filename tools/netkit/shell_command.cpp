// `netkit shell`: where the lines come from.
#include "commands.hpp"
#include "io/prompt.hpp"
#include "plugin/registry.hpp"
#include "shell.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <unistd.h>

#include <fmt/format.h>

#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/text.hpp>
#include <netkit/version.hpp>

namespace netkit {
namespace {

constexpr std::size_t kMaxLine = std::size_t{64} * 1024;

// What a child is started with: netkit's own words by this very executable, others from PATH.
std::vector<std::string> resolve(const App& app, const std::vector<std::string>& words) {
  const bool named = words.front() == "netkit";
  const std::vector<std::string> known = known_words(app);
  if (!named && std::ranges::find(known, words.front()) == known.end()) return words;
  std::vector<std::string> out{(executable_folder() / "netkit").string()};
  for (const auto& folder : app.invocation().plugin_dirs) {
    out.insert(out.end(), {"--plugin-dir", folder.string()});
  }
  if (!app.invocation().config.empty()) {
    out.insert(out.end(), {"--config", app.invocation().config});
  }
  out.insert(out.end(), words.begin() + (named ? 1 : 0), words.end());
  return out;
}

constexpr std::array kOwnWords{"jobs", "fg", "stop", "exit"};

std::string unknown_command(const App& app, const std::string& word) {
  const std::vector<std::string> known = known_words(app);
  std::vector<std::string_view> words(known.begin(), known.end());
  words.insert(words.end(), kOwnWords.begin(), kOwnWords.end());
  return "there is no command '" + escaped_text(word) + "'" + did_you_mean(word, words);
}

// The shell's own words, and the jobs that they may name.
void add_own_words(PromptCompletion& out, const OpenCommand& open, const Shell& shell) {
  const std::string& typed = open.words.back();
  const auto offer = [&](const std::string& word) {
    if (word.starts_with(typed)) out.words.push_back(word);
  };
  if (open.words.size() == 1) {
    for (const char* word : kOwnWords) offer(word);
  } else if (open.words.size() == 2 && (open.words[0] == "fg" || open.words[0] == "stop")) {
    for (const int id : shell.job_ids()) offer(std::to_string(id));
  }
}

bool is_program(const App& app, const OpenCommand& open) {
  const std::vector<std::string> known = known_words(app);
  return open.words.size() > 1 && open.words.front() != "netkit" &&
         std::ranges::find(known, open.words.front()) == known.end();
}

// Of a redirection and of programs that are not netkit's, files.
PromptCompletion complete_line(App& app, const Shell& shell, std::string_view line) {
  OpenCommand open = open_command(line);
  if (open.is_file) return {.files = true};
  if (is_program(app, open)) {
    PromptCompletion out;
    add_own_words(out, open, shell);
    out.files = out.words.empty();
    return out;
  }
  if (open.words.size() > 1 && open.words.front() == "netkit") {
    open.words.erase(open.words.begin());
  }
  const Completion found = complete_words(app, open.words);
  PromptCompletion out{
      .go_on = found.directive == Directive::nospace,
      .files = found.directive == Directive::file || found.directive == Directive::folder};
  for (const Candidate& candidate : found.candidates) out.words.push_back(candidate.word);
  add_own_words(out, open, shell);
  return out;
}

// Lines at a terminal.
int run_prompt(App& app, Shell::Options options) {
  std::weak_ptr<Prompt> shown;
  options.interactive = true;
  options.print = [&shown](std::string_view text) {
    if (const auto prompt = shown.lock()) return prompt->print_above(STDERR_FILENO, text);
    static_cast<void>(write_all(STDERR_FILENO, text));
  };
  options.on_interrupt = [&shown] { shown.lock()->cancel(); };
  Shell shell(std::move(options));
  const auto prompt = std::make_shared<Prompt>(
      shell.loop(),
      Prompt::Options{.text = "netkit> ",
                      .history = std::string(kShellHistory),
                      .quote = quoted_word,
                      .suspends = false},
      Prompt::Callbacks{
          .on_line =
              [&](const std::string& line) {
                if (shell.ended()) return;
                shown.lock()->hide();
                shell.run_line(line);
              },
          .on_end = [] {},
          .on_interrupt = [&shown] { shown.lock()->cancel(); },
          .complete = [&](std::string_view line,
                          std::string_view /*word*/) { return complete_line(app, shell, line); }});
  shown = prompt;
  print(fmt::format("netkit {}: TAB completes, help lists the commands, exit leaves\n",
                    NETKIT_VERSION));
  while (!prompt->ended() && !shell.ended()) {
    prompt->show();
    shell.turn();
  }
  return shell.status();
}

// Lines of a script at standard input, each run before the next is read.
int run_script(Shell::Options options) {
  options.script_input = true;
  Shell shell(std::move(options));
  std::string rest;
  while (!shell.ended()) {
    if (const std::size_t end = rest.find('\n'); end != rest.npos) {
      const std::string line = rest.substr(0, end);
      rest.erase(0, end + 1);
      shell.run_line(line);
      continue;
    }
    if (rest.size() > kMaxLine) throw UsageError("a line of the script is longer than 64 KiB");
    if (!shell.wait_for_input()) continue;
    char buffer[4096];
    const ssize_t count = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    rest.append(buffer, static_cast<std::size_t>(count));
  }
  if (!shell.ended()) shell.run_line(rest);
  return shell.status();
}

}  // namespace

int run_shell(App& app, const ActionDef&, const Values& values) {
  Shell::Options options{.errexit = values.flag("errexit")};
  options.resolve = [&app](const std::vector<std::string>& words) { return resolve(app, words); };
  options.unknown = [&app](const std::string& word) { return unknown_command(app, word); };
  if (values.has("command")) {
    Shell shell(std::move(options));
    shell.run_line(values.text("command"));
    return shell.status();
  }
  if (::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1) {
    return run_prompt(app, std::move(options));
  }
  return run_script(std::move(options));
}

}  // namespace netkit
