#include "io/prompt.hpp"

#include "io/terminal.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <readline/history.h>
#include <readline/readline.h>

#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>

namespace netkit {
namespace {

// readline is a singleton, and its callbacks have no argument that could say whose they are.
Prompt* current_prompt = nullptr;

constexpr int kMaxShown = 100;  // candidates that are listed

// readline itself would ask before it shows many, and wait for the answer: the loop would stand
// still.
void list_candidates(char** matches, int count, int longest) {
  const int shown = std::min(count, kMaxShown);
  rl_display_match_list(matches, shown, longest);
  if (count > shown) std::fprintf(rl_outstream, "... and %d more\n", count - shown);
  rl_forced_update_display();
}

// Ctrl-C is for the line first, so it is read as a key while a line is typed.
void prepare_terminal(int meta) {
  rl_prep_terminal(meta);
  read_interrupt_key(true);
}

// readline ends the line of Ctrl-D itself, but only where it brackets what is pasted: end_input()
// does it everywhere.
void give_terminal_back() {
  rl_eof_found = 0;
  rl_deprep_terminal();
}

// What a user's inputrc may not change.
void set_up_keys(rl_command_func_t* on_interrupt) {
  for (Keymap map : {emacs_standard_keymap, vi_insertion_keymap, vi_movement_keymap}) {
    rl_bind_key_in_map('C' & 0x1F, on_interrupt, map);
  }
  rl_variable_bind("page-completions", "off");
  // A line is UTF-8, also where the locale is not: its bytes are not keys typed with Meta.
  rl_variable_bind("convert-meta", "off");
  rl_variable_bind("input-meta", "on");
  rl_variable_bind("output-meta", "on");
}

}  // namespace

Prompt::Prompt(EventLoop& loop, Options options, Callbacks callbacks)
    : loop_(loop),
      options_(std::move(options)),
      callbacks_(std::move(callbacks)),
      history_(options_.history) {
  if (current_prompt != nullptr) throw PluginError("a prompt is open already");
  guard_ = std::make_unique<TerminalGuard>();
  current_prompt = this;
  set_up_readline();
  signals_.push_back(loop_.on_signal(SIGWINCH, [this] { take_size(); }));
  signals_.push_back(loop_.on_signal(SIGCONT, [this] { wake_up(); }));
  if (options_.suspends) signals_.push_back(loop_.on_signal(SIGTSTP, [this] { suspend(); }));
}

Prompt::~Prompt() {
  hide();
  current_prompt = nullptr;
}

void Prompt::set_up_readline() {
  rl_readline_name = "netkit";
  rl_catch_signals = 0;  // the loop reads signals
  rl_catch_sigwinch = 0;
  rl_change_environment = 0;  // LINES and COLUMNS stay as they are
  rl_prep_term_function = prepare_terminal;
  rl_deprep_term_function = give_terminal_back;
  rl_attempted_completion_function = on_complete;
  rl_completion_display_matches_hook = list_candidates;
  rl_completer_word_break_characters = options_.quote ? " \t|&;<>" : " \t";
  rl_basic_word_break_characters = rl_completer_word_break_characters;
  rl_completer_quote_characters = options_.quote ? "'\"" : nullptr;
  rl_filename_quote_characters = options_.quote ? " \t|&;<>'\"\\#" : nullptr;
  using_history();
  clear_history();
  stifle_history(static_cast<int>(HistoryFile::kKept));
  for (const std::string& line : history_.load()) add_history(line.c_str());
}

void Prompt::show() {
  if (installed_ || paused_ || ended_) return;
  guard_->restore();  // a program may have been killed with the terminal in its hands
  installed_ = true;
  rl_callback_handler_install(options_.text.c_str(), on_line);
  set_up_keys(on_interrupt);
  watch_ = loop_.watch(STDIN_FILENO, Interest::read, [this](Ready) { read_key(); });
}

void Prompt::hide() {
  if (std::exchange(installed_, false)) {
    watch_.reset();
    rl_callback_handler_remove();
    std::fflush(rl_outstream);
  }
  guard_->restore();
}

void Prompt::read_key() {
  rl_callback_read_char();
  // The handler may have destroyed this.
  if (current_prompt == nullptr || !current_prompt->installed_) return;
  std::fflush(rl_outstream);
}

void Prompt::on_line(char* line) {
  if (current_prompt != nullptr) current_prompt->take_line(line);
}

void Prompt::take_line(char* typed) {
  if (typed == nullptr) return end_input();  // Ctrl-D at an empty line
  shown_rows_ = rows_of(typed);
  // What was pasted may be several lines.
  std::string_view rest(typed);
  for (bool more = true; more;) {
    const std::size_t end = rest.find('\n');
    more = end != rest.npos;
    typed_.emplace_back(rest.substr(0, end));
    if (more) rest.remove_prefix(end + 1);
  }
  std::free(typed);
  const std::weak_ptr<char> alive = alive_;
  in_handler_ = true;
  deliver();
  if (!alive.expired()) in_handler_ = false;
}

// How many rows it takes with the prompt in front of it.
int Prompt::rows_of(std::string_view typed) const {
  int rows = 0;
  int columns = 0;
  rl_get_screen_size(&rows, &columns);
  std::string line = options_.text;
  int taken = 0;
  while (true) {
    const std::size_t end = std::min(typed.find('\n'), typed.size());
    line += typed.substr(0, end);
    taken += 1 + wrapped_rows(line, std::max(columns, 2));
    if (end == typed.size()) return taken;
    typed.remove_prefix(end + 1);
    line.clear();
  }
}

bool Prompt::wipe_typed() {
  const char* const wipe_row = rl_get_termcap("ce");
  if (wipe_row == nullptr || std::string_view(wipe_row) != "\x1b[K") return false;
  if (const int rows = std::exchange(shown_rows_, 0); rows > 0) {
    static_cast<void>(write_all(STDOUT_FILENO, fmt::format("\r\x1b[{}A\x1b[J", rows)));
  }
  return true;
}

void Prompt::deliver() {
  const std::weak_ptr<char> alive = alive_;
  delivering_ = true;
  while (!typed_.empty() && !paused_) {
    const std::string line = std::move(typed_.front());
    typed_.pop_front();
    if (history_.wants(line)) add_history(line.c_str());
    history_.append(line);
    callbacks_.on_line(line);
    if (alive.expired()) return;
  }
  delivering_ = false;
}

void Prompt::end_input() {
  ended_ = true;
  hide();
  static_cast<void>(write_all(STDOUT_FILENO, "\n"));
  callbacks_.on_end();
}

int Prompt::on_interrupt(int /*count*/, int /*key*/) {
  if (rl_end == 0) {
    current_prompt->callbacks_.on_interrupt();
  } else {
    current_prompt->cancel();
  }
  return 0;
}

void Prompt::cancel() {
  if (!installed_ || in_handler_) return;
  // Behind all of it, however many rows that is.
  rl_point = rl_end;
  rl_redisplay();
  std::fflush(rl_outstream);
  static_cast<void>(write_all(STDOUT_FILENO, "^C\n"));
  rl_replace_line("", 1);
  rl_on_new_line();
  rl_redisplay();
  std::fflush(rl_outstream);
}

// `word` begins behind a quote that is open, the line before it.
char** Prompt::on_complete(const char* word, int start, int /*end*/) {
  rl_attempted_completion_over = 1;  // no names of files when there is no candidate
  Prompt& self = *current_prompt;
  self.candidates_.clear();
  if (!self.callbacks_.complete) return nullptr;
  const std::string line(rl_line_buffer, static_cast<std::size_t>(start) + std::strlen(word));
  PromptCompletion found = self.callbacks_.complete(line, word);
  self.candidates_ = std::move(found.words);
  if (self.options_.quote && rl_completion_quote_character == 0) {
    for (std::string& one : self.candidates_) one = self.options_.quote(one);
  }
  rl_attempted_completion_over = found.files ? 0 : 1;
  rl_completion_append_character = found.go_on ? 0 : int{' '};
  return rl_completion_matches(word, next_candidate);
}

char* Prompt::next_candidate(const char* /*word*/, int state) {
  std::size_t& next = current_prompt->next_candidate_;
  if (state == 0) next = 0;
  const auto& candidates = current_prompt->candidates_;
  return next < candidates.size() ? ::strdup(candidates[next++].c_str()) : nullptr;
}

// Some terminals break what they show anew for their new width, others do not, and readline, which
// goes up by the rows that its line had, wipes what stands above it off when the line has fewer
// now. Going up by the fewer of the two leaves at worst a piece of the line behind.
void Prompt::take_size() {
  const char* wipe_row = rl_get_termcap("ce");
  if (wipe_row == nullptr || std::string_view(wipe_row) != "\x1b[K") return rl_resize_terminal();
  int rows = 0;
  int before = 0;
  int after = 0;
  rl_get_screen_size(&rows, &before);
  rl_reset_screen_size();
  rl_get_screen_size(&rows, &after);
  if (!installed_ || in_handler_ || before < 2 || after < 2) return;
  std::string line = RL_ISSTATE(RL_STATE_ISEARCH) ? "" : options_.text;
  line.append(rl_line_buffer, static_cast<std::size_t>(rl_point));
  const int up = std::min(wrapped_rows(line, before), wrapped_rows(line, after));
  const std::string rise = up > 0 ? fmt::format("\x1b[{}A", up) : std::string();
  static_cast<void>(write_all(STDOUT_FILENO, fmt::format("\r{}\x1b[J", rise)));
  rl_on_new_line();
  rl_redisplay();
  std::fflush(rl_outstream);
}

// Ctrl-Z: the shell gets its terminal as it was.
void Prompt::suspend() {
  if (installed_) rl_deprep_terminal();
  std::fflush(rl_outstream);
  ::raise(SIGTSTP);  // waits, because the loop reads the signal, until it may come through
  sigset_t stop;
  ::sigemptyset(&stop);
  ::sigaddset(&stop, SIGTSTP);
  ::pthread_sigmask(SIG_UNBLOCK, &stop, nullptr);
  ::pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  wake_up();
}

// Another program had the terminal meanwhile, and may have left other modes and another size.
void Prompt::wake_up() {
  if (!installed_ || in_handler_ || !reads_whole_lines()) return;
  prepare_terminal(1);
  if (paused_) read_interrupt_key(false);
  rl_reset_screen_size();
  rl_forced_update_display();
  std::fflush(rl_outstream);
}

void Prompt::print_above(int fd, std::string_view text) {
  const bool shown = installed_ && !in_handler_;
  if (shown) {
    rl_clear_visible_line();
    std::fflush(rl_outstream);
  }
  static_cast<void>(write_all(fd, text));
  shown_rows_ = 0;
  if (!shown) return;
  if (!text.empty() && text.back() != '\n') static_cast<void>(write_all(fd, "\n"));
  rl_on_new_line();
  rl_redisplay();
  std::fflush(rl_outstream);
}

void Prompt::pause() {
  if (std::exchange(paused_, true) || !installed_) return;
  watch_.set(Interest::none);
  read_interrupt_key(false);  // nobody reads keys now
}

void Prompt::resume() {
  if (!std::exchange(paused_, false)) return;
  if (!typed_.empty() && !delivering_) {
    again_ = loop_.after(Duration::zero(), [this] { go_on(); });
  } else {
    go_on();
  }
}

void Prompt::go_on() {
  const std::weak_ptr<char> alive = alive_;
  if (!delivering_) deliver();
  if (alive.expired() || paused_) return;
  if (!installed_) return show();
  read_interrupt_key(true);
  watch_.set(Interest::read);
}

void Prompt::set_text(std::string text) {
  options_.text = std::move(text);
  if (!installed_) return;
  if (in_handler_) {
    rl_set_prompt(options_.text.c_str());
    return;
  }
  rl_clear_visible_line();
  rl_set_prompt(options_.text.c_str());
  rl_on_new_line();
  rl_redisplay();
}

}  // namespace netkit
