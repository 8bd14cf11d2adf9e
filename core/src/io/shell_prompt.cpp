#include "io/shell_prompt.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <readline/history.h>
#include <readline/readline.h>

namespace netkit {
namespace {

// Readline calls plain functions, so what they use stands here; there is one prompt.
ShellPrompt::Callbacks calls;
PromptCompletion offered;
std::size_t next_offer = 0;

void on_line(char* text) {
  if (text == nullptr) return calls.on_end();
  const std::string line(text);
  std::free(text);
  calls.on_line(line);
}

char* next_candidate(const char*, int state) {
  if (state == 0) next_offer = 0;
  if (next_offer == offered.words.size()) return nullptr;
  return ::strdup(offered.words[next_offer++].c_str());
}

char** on_complete(const char* word, int start, int) {
  // `word` begins behind a quote that is open, the line before it.
  const bool quoted = rl_completion_quote_character != 0;
  const std::string line(rl_line_buffer, static_cast<std::size_t>(start) + std::strlen(word));
  offered = calls.complete(line);
  if (!quoted) {
    for (std::string& one : offered.words) one = calls.quote(one);
  }
  rl_attempted_completion_over = offered.files ? 0 : 1;
  rl_completion_append_character = offered.go_on ? 0 : int{' '};
  return rl_completion_matches(word, next_candidate);
}

}  // namespace

ShellPrompt::ShellPrompt(std::string prompt, const std::vector<std::string>& history,
                         Callbacks callbacks)
    : prompt_(std::move(prompt)) {
  calls = std::move(callbacks);
  rl_readline_name = "netkit";
  rl_catch_signals = 0;
  rl_catch_sigwinch = 1;
  rl_change_environment = 0;
  rl_attempted_completion_function = on_complete;
  rl_completer_word_break_characters = " \t|&;<>";
  rl_basic_word_break_characters = " \t|&;<>";
  rl_completer_quote_characters = "'\"";
  rl_filename_quote_characters = " \t|&;<>'\"\\#";
  for (const std::string& line : history) remember(line.c_str());
}

ShellPrompt::~ShellPrompt() {
  close();
  calls = {};
}

void ShellPrompt::open() {
  if (std::exchange(open_, true)) return;
  rl_callback_handler_install(prompt_.c_str(), on_line);
}

void ShellPrompt::close() {
  if (!std::exchange(open_, false)) return;
  rl_callback_handler_remove();
  std::fflush(rl_outstream);
}

void ShellPrompt::read() {
  rl_callback_read_char();
}

void ShellPrompt::cancel() {
  if (!open_) return;
  rl_callback_sigcleanup();
  std::fputs("^C\n", rl_outstream);
  rl_replace_line("", 1);
  rl_on_new_line();
  rl_redisplay();
}

void ShellPrompt::hide() {
  if (!open_) return;
  rl_clear_visible_line();
  std::fflush(rl_outstream);
}

void ShellPrompt::show() {
  if (!open_) return;
  rl_on_new_line();
  rl_redisplay();
  std::fflush(rl_outstream);
}

void ShellPrompt::remember(const char* line) {
  ::add_history(line);
}

}  // namespace netkit
