// Lines typed at a terminal, with editing, completion and history, and the file that keeps the
// history across runs.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/loop/event_loop.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

class TerminalGuard;

// A file of lines in $XDG_STATE_HOME/netkit/ (0600, folders 0700) that several programs may share:
// each line is appended under flock(2). A history that cannot be read or written is no error. Keeps
// the last kKept lines, and is cut down to them when it is larger than kMaxSize.
class NETKIT_API HistoryFile {
 public:
  static constexpr std::size_t kKept = 1000;
  static constexpr std::size_t kMaxSize = std::size_t{256} * 1024;  // bytes

  // `name` has no slash. Empty: nothing is kept.
  explicit HistoryFile(std::string_view name);

  std::vector<std::string> load();  // oldest first
  // Not kept: an empty line, one that begins with a blank, one that equals the one before.
  bool wants(std::string_view line) const;
  void append(std::string_view line);
  const std::string& path() const { return path_; }
  // Creates the folder of history files.
  static void make_folder();

 private:
  std::string path_;
  std::string last_;
};

// The candidates for the word that is being typed, without quotes, which the prompt adds if
// necessary. `go_on`: add no blank after the word. `files`: complete names of files as well.
struct PromptCompletion {
  std::vector<std::string> words{};
  bool go_on = false;
  bool files = false;
};

// A prompt at standard input, by readline; one per process. What is printed meanwhile goes above it
// (print_above), and the line being typed stays intact. [loop]
class NETKIT_API Prompt {
 public:
  struct Options {
    std::string text = "> ";
    std::string history{};  // the name of its HistoryFile
    // Quotes a completed word: words may be quoted, and end at | & ; < > as well. Empty: words are
    // separated by blanks.
    std::function<std::string(std::string_view word)> quote{};
    bool suspends = true;  // Ctrl-Z stops the process; false: it ignores that signal
  };
  struct Callbacks {
    std::function<void(const std::string& line)> on_line;  // may hide or destroy the prompt
    std::function<void()> on_end;        // Ctrl-D at an empty line; the terminal is restored
    std::function<void()> on_interrupt;  // Ctrl-C at an empty line
    // `line` is everything up to the cursor, `word` its last word. May be empty.
    std::function<PromptCompletion(std::string_view line, std::string_view word)> complete{};
  };

  // Is not shown yet. Throws PluginError when there is a prompt already.
  Prompt(EventLoop& loop, Options options, Callbacks callbacks);
  ~Prompt();
  Prompt(const Prompt&) = delete;
  Prompt& operator=(const Prompt&) = delete;

  void show();    // takes the terminal, unless it is paused or the input has ended
  void hide();    // restores the terminal
  void pause();   // no more lines, at once, also of those that were pasted together
  void resume();  // and shows it
  void cancel();  // throws away what has been typed
  bool ended() const { return ended_; }
  void set_text(std::string text);
  // Removes the line that is being typed, and draws it again below `text`.
  void print_above(int fd, std::string_view text);
  // Within on_line(), before anything is printed: wipes what was typed off the screen, for what is
  // printed in its place. False where this terminal cannot.
  bool wipe_typed();

 private:
  static void on_line(char* line);
  static int on_interrupt(int count, int key);
  static char** on_complete(const char* word, int start, int end);
  static char* next_candidate(const char* word, int state);

  void set_up_readline();
  void read_key();
  void take_line(char* line);
  void deliver();
  void go_on();
  void take_size();
  int rows_of(std::string_view typed) const;
  void suspend();
  void wake_up();
  void end_input();

  EventLoop& loop_;
  Options options_;
  Callbacks callbacks_;
  HistoryFile history_;
  std::unique_ptr<TerminalGuard> guard_;
  std::vector<std::string> candidates_;
  std::size_t next_candidate_ = 0;  // for readline, which asks for one after the other
  std::deque<std::string> typed_;   // lines that were taken and not handed out yet
  int shown_rows_ = 0;              // of what was typed, right above the cursor
  Watch watch_;
  std::vector<Hook> signals_;
  Timer again_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
  bool installed_ = false;   // readline has the terminal
  bool in_handler_ = false;  // a line was taken, and the next prompt is not drawn yet
  bool delivering_ = false;  // what is in typed_
  bool paused_ = false;
  bool ended_ = false;
};

}  // namespace netkit
