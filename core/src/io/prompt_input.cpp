#include "io/prompt_input.hpp"

#include "io/history_file.hpp"
#include "io/terminal_guard.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <pthread.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <readline/history.h>
#include <readline/readline.h>

#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/quantity.hpp>

namespace netkit {
namespace {

class PromptInput;

// readline is a singleton, and its callbacks have no argument that could say whose they are.
PromptInput* current_prompt = nullptr;

constexpr int kMaxShown = 100;  // candidates that are listed

class PromptInput final : public Input {
 public:
  PromptInput(Run& run, Handler& handler, Options options);
  ~PromptInput() override;

  void pause() override;
  void resume() override;
  bool ended() const override { return ended_; }
  void set_prompt(std::string prompt) override;

 private:
  static void on_line(char* line);
  static int on_interrupt(int count, int key);
  static char** on_complete(const char* word, int start, int end);
  static char* next_candidate(const char* word, int state);
  static void list_candidates(char** matches, int count, int longest);
  static void prepare_terminal(int meta);

  void set_up_readline();
  void set_up_keys();
  void show_prompt();
  void hide_prompt();
  void read_key();
  void take_line(char* line);
  void deliver();
  void go_on();
  void take_size();
  void suspend();
  void wake_up();
  void end_input();
  void redirect_log();
  void print_above(int fd, std::string_view text);
  void release_terminal();

  Run& run_;
  Handler& handler_;
  Options options_;
  HistoryFile history_;
  TerminalGuard guard_;
  pthread_t thread_ = pthread_self();
  bool log_redirected_ = false;
  std::vector<std::string> candidates_;
  std::size_t next_candidate_ = 0;  // for readline, which asks for one after the other
  std::deque<std::string> typed_;   // lines that were taken and not handed out yet
  Watch watch_;
  Hook resized_;
  Hook stopped_;
  Hook continued_;
  Timer begin_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
  bool installed_ = false;   // readline has the terminal
  bool in_handler_ = false;  // a line was taken, and the next prompt is not drawn yet
  bool delivering_ = false;  // what is in typed_
  bool paused_ = false;
  bool ended_ = false;
};

PromptInput::PromptInput(Run& run, Handler& handler, Options options)
    : run_(run), handler_(handler), options_(std::move(options)), history_(options_.history) {
  current_prompt = this;
  set_up_readline();
  run_.lend_terminal({[this] { release_terminal(); },
                      [this](std::string_view text) { print_above(STDOUT_FILENO, text); }});
  redirect_log();
  resized_ = run_.loop().on_signal(SIGWINCH, [this] { take_size(); });
  stopped_ = run_.loop().on_signal(SIGTSTP, [this] { suspend(); });
  continued_ = run_.loop().on_signal(SIGCONT, [this] { wake_up(); });
  begin_ = run_.loop().after(Duration::zero(), [this] { show_prompt(); });
}

PromptInput::~PromptInput() {
  release_terminal();
  if (log_redirected_) run_.log().redirect({});
  run_.lend_terminal({});
  current_prompt = nullptr;
}

void PromptInput::set_up_readline() {
  rl_readline_name = "netkit";
  rl_catch_signals = 0;  // the loop reads signals
  rl_catch_sigwinch = 0;
  rl_change_environment = 0;  // LINES and COLUMNS stay as they are
  rl_prep_term_function = prepare_terminal;
  rl_attempted_completion_function = on_complete;
  rl_completion_display_matches_hook = list_candidates;
  rl_completer_word_break_characters = " \t";
  rl_basic_word_break_characters = " \t";
  using_history();
  clear_history();
  stifle_history(static_cast<int>(HistoryFile::kKept));
  for (const std::string& line : history_.load()) add_history(line.c_str());
}

// What a user's inputrc may not change.
void PromptInput::set_up_keys() {
  for (Keymap map : {emacs_standard_keymap, vi_insertion_keymap, vi_movement_keymap}) {
    rl_bind_key_in_map('C' & 0x1F, on_interrupt, map);
  }
  rl_variable_bind("page-completions", "off");
}

// Ctrl-C is for the line first, so it is read as a key while a line is typed.
void PromptInput::prepare_terminal(int meta) {
  rl_prep_terminal(meta);
  read_interrupt_key(true);
}

void PromptInput::show_prompt() {
  if (installed_ || paused_ || ended_) return;
  installed_ = true;
  rl_callback_handler_install(options_.prompt.c_str(), on_line);
  set_up_keys();
  watch_ = run_.loop().watch(STDIN_FILENO, Interest::read, [this](Ready) { read_key(); });
}

void PromptInput::hide_prompt() {
  if (!std::exchange(installed_, false)) return;
  watch_.reset();
  rl_callback_handler_remove();
  std::fflush(rl_outstream);
}

void PromptInput::read_key() {
  rl_callback_read_char();
  // The handler may have destroyed this.
  if (current_prompt == nullptr || !current_prompt->installed_) return;
  std::fflush(rl_outstream);
}

void PromptInput::on_line(char* line) {
  if (current_prompt != nullptr) current_prompt->take_line(line);
}

void PromptInput::take_line(char* typed) {
  if (typed == nullptr) return end_input();  // Ctrl-D at an empty line
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

void PromptInput::deliver() {
  const std::weak_ptr<char> alive = alive_;
  delivering_ = true;
  while (!typed_.empty() && !paused_) {
    const std::string line = std::move(typed_.front());
    typed_.pop_front();
    if (history_.wants(line)) add_history(line.c_str());
    history_.append(line);
    if (line.size() > options_.max_line) {
      if (handler_.on_long_line()) continue;
      run_.log().error(fmt::format("the line was not taken: it is longer than {}",
                                   line_limit_text(run_, options_.max_line)));
      continue;
    }
    handler_.on_input_line(line);
    if (alive.expired()) return;
  }
  delivering_ = false;
}

void PromptInput::end_input() {
  ended_ = true;
  hide_prompt();
  static_cast<void>(write_all(STDOUT_FILENO, "\n"));
  release_terminal();
  handler_.on_input_end();
}

int PromptInput::on_interrupt(int /*count*/, int /*key*/) {
  if (rl_end == 0) {
    ::kill(::getpid(), SIGINT);
    return 0;
  }
  // Behind all of it, however many rows that is.
  rl_point = rl_end;
  rl_redisplay();
  std::fflush(rl_outstream);
  static_cast<void>(write_all(STDOUT_FILENO, "^C\n"));
  rl_replace_line("", 1);
  rl_on_new_line();
  rl_redisplay();
  return 0;
}

char** PromptInput::on_complete(const char* word, int start, int /*end*/) {
  rl_attempted_completion_over = 1;  // no names of files when there is no candidate
  PromptInput& self = *current_prompt;
  self.candidates_.clear();
  if (!self.options_.complete) return nullptr;
  const std::string line(rl_line_buffer, static_cast<std::size_t>(start) + std::strlen(word));
  self.candidates_ = self.options_.complete(line, word);
  rl_completion_append_character = ' ';
  if (self.candidates_.size() == 1 && self.candidates_.front().ends_with(':')) {
    rl_completion_append_character = '\0';  // the word goes on
  }
  return rl_completion_matches(word, next_candidate);
}

char* PromptInput::next_candidate(const char* word, int state) {
  std::size_t& next = current_prompt->next_candidate_;
  if (state == 0) next = 0;
  const auto& candidates = current_prompt->candidates_;
  while (next < candidates.size()) {
    const std::string& candidate = candidates[next++];
    if (candidate.starts_with(word)) return ::strdup(candidate.c_str());
  }
  return nullptr;
}

// readline itself would ask before it shows many, and wait for the answer: the loop would stand
// still.
void PromptInput::list_candidates(char** matches, int count, int longest) {
  const int shown = std::min(count, kMaxShown);
  rl_display_match_list(matches, shown, longest);
  if (count > shown) std::fprintf(rl_outstream, "... and %d more\n", count - shown);
  rl_forced_update_display();
}

// Some terminals break what they show anew for their new width, others do not, and readline, which
// goes up by the rows that its line had, wipes what stands above it off when the line has fewer
// now. Going up by the fewer of the two leaves at worst a piece of the line behind.
void PromptInput::take_size() {
  const char* wipe_row = rl_get_termcap("ce");
  if (wipe_row == nullptr || std::string_view(wipe_row) != "\x1b[K") return rl_resize_terminal();
  int rows = 0;
  int before = 0;
  int after = 0;
  rl_get_screen_size(&rows, &before);
  rl_reset_screen_size();
  rl_get_screen_size(&rows, &after);
  if (!installed_ || in_handler_ || before < 2 || after < 2) return;
  std::string line = RL_ISSTATE(RL_STATE_ISEARCH) ? "" : options_.prompt;
  line.append(rl_line_buffer, static_cast<std::size_t>(rl_point));
  const int up = std::min(wrapped_rows(line, before), wrapped_rows(line, after));
  const std::string rise = up > 0 ? fmt::format("\x1b[{}A", up) : std::string();
  static_cast<void>(write_all(STDOUT_FILENO, fmt::format("\r{}\x1b[J", rise)));
  rl_on_new_line();
  rl_redisplay();
  std::fflush(rl_outstream);
}

// Ctrl-Z: the shell gets its terminal as it was.
void PromptInput::suspend() {
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

// Whoever had the terminal meanwhile left it in modes and with a size of his own.
void PromptInput::wake_up() {
  if (!installed_ || in_handler_ || !reads_whole_lines()) return;
  prepare_terminal(1);
  if (paused_) read_interrupt_key(false);
  rl_reset_screen_size();
  rl_forced_update_display();
  std::fflush(rl_outstream);
}

void PromptInput::redirect_log() {
  if (::isatty(STDERR_FILENO) != 1) return;
  log_redirected_ = true;
  run_.log().redirect([this](std::string_view line) {
    if (pthread_equal(pthread_self(), thread_) != 0) return print_above(STDERR_FILENO, line);
    // readline is the loop's alone.
    run_.loop().post([text = std::string(line)] {
      if (current_prompt != nullptr) {
        current_prompt->print_above(STDERR_FILENO, text);
      } else {
        static_cast<void>(write_all(STDERR_FILENO, text));
      }
    });
  });
}

// The line that is being typed is wiped off, and drawn again below the text.
void PromptInput::print_above(int fd, std::string_view text) {
  const bool shown = installed_ && !in_handler_;
  if (shown) {
    rl_clear_visible_line();
    std::fflush(rl_outstream);
  }
  static_cast<void>(write_all(fd, text));
  if (!shown) return;
  if (!text.empty() && text.back() != '\n') static_cast<void>(write_all(fd, "\n"));
  rl_on_new_line();
  rl_redisplay();
  std::fflush(rl_outstream);
}

void PromptInput::release_terminal() {
  hide_prompt();
  guard_.restore();
}

void PromptInput::pause() {
  if (std::exchange(paused_, true) || !installed_) return;
  watch_.set(Interest::none);
  read_interrupt_key(false);  // nobody reads keys now
}

void PromptInput::resume() {
  if (!std::exchange(paused_, false)) return;
  if (!typed_.empty() && !delivering_) {
    begin_ = run_.loop().after(Duration::zero(), [this] { go_on(); });
  } else {
    go_on();
  }
}

void PromptInput::go_on() {
  const std::weak_ptr<char> alive = alive_;
  if (!delivering_) deliver();
  if (alive.expired() || paused_) return;
  if (!installed_) return show_prompt();
  read_interrupt_key(true);
  watch_.set(Interest::read);
}

void PromptInput::set_prompt(std::string prompt) {
  options_.prompt = std::move(prompt);
  if (!installed_) return;
  if (in_handler_) {
    rl_set_prompt(options_.prompt.c_str());
    return;
  }
  rl_clear_visible_line();
  rl_set_prompt(options_.prompt.c_str());
  rl_on_new_line();
  rl_redisplay();
}

}  // namespace

std::unique_ptr<Input> open_prompt(Run& run, Input::Handler& handler, Input::Options options) {
  if (current_prompt != nullptr) throw PluginError("a prompt is open already");
  return std::make_unique<PromptInput>(run, handler, std::move(options));
}

}  // namespace netkit
