// Parsing a line of the shell. Pure: nothing is expanded, opened or run.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/util/export.hpp>

namespace netkit {

// `< FILE`, `> FILE`, `>> FILE`, `2> FILE`, `2>> FILE`, `2>&1`.
struct Redirection {
  int fd = 1;
  bool append = false;
  bool to_output = false;  // `2>&1`: no file
  std::string file{};
};

// One program of a pipeline.
struct ShellCommand {
  std::vector<std::string> words{};
  std::vector<Redirection> redirections{};
};

// Programs joined by `|`.
struct Pipeline {
  std::vector<ShellCommand> commands{};
  bool background = false;  // ended by `&`
  std::string text{};       // as it was typed
};

// Pipelines, separated by `;` or `&`. Words are parted by blanks; '...' is taken as it stands, in
// "..." a backslash takes " \ $ and ` as they are, elsewhere any character (POSIX.1 XCU 2.2); a
// word that begins with # starts a comment. Nothing is expanded. Throws UsageError. Any thread.
NETKIT_API std::vector<Pipeline> parse_shell_line(std::string_view line);

// The last command of the last pipeline as far as it has been typed, for completion: its words, the
// last of which is being typed and may be empty. Any thread.
struct OpenCommand {
  std::vector<std::string> words{};
  std::size_t start = 0;  // where the last word begins in the line
  bool is_file = false;   // the last word is that of a redirection, and the only one then
};
NETKIT_API OpenCommand open_command(std::string_view line);

// The word, quoted if necessary: parse_shell_line() reads it back. Any thread.
NETKIT_API std::string quoted_word(std::string_view word);

}  // namespace netkit
