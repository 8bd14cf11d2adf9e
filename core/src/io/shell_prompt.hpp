// The line editor of the shell. Not an Input: the shell has no loop, it waits for its children.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/util/export.hpp>

namespace netkit {

// The words that may stand in place of the last one of `line`, without quotes: the prompt puts them
// where they are needed. `go_on`: no blank behind it. `files`: names of files as well.
struct PromptCompletion {
  std::vector<std::string> words{};
  bool go_on = false;
  bool files = false;
};

// Readline at standard input, one in a process. Not thread-safe.
class NETKIT_API ShellPrompt {
 public:
  struct Callbacks {
    std::function<void(const std::string& line)> on_line;
    std::function<void()> on_end;  // Ctrl-D
    std::function<PromptCompletion(std::string_view line)> complete;
    std::function<std::string(std::string_view word)> quote;  // so that it is read as one word
  };
  ShellPrompt(std::string prompt, const std::vector<std::string>& history, Callbacks callbacks);
  ~ShellPrompt();
  ShellPrompt(const ShellPrompt&) = delete;
  ShellPrompt& operator=(const ShellPrompt&) = delete;

  void open();                      // shows the prompt, takes the terminal's modes
  void close();                     // gives them back
  void read();                      // standard input can be read
  void cancel();                    // Ctrl-C: a new, empty line
  void hide();                      // output comes: the line is taken away
  void show();                      // and shown again below it
  void remember(const char* line);  // into the history

 private:
  std::string prompt_;
  bool open_ = false;
};

}  // namespace netkit
