// Starts the programs of a pipeline.
#pragma once

#include "cli/shell_line.hpp"

#include <functional>
#include <string>
#include <sys/types.h>
#include <vector>

#include <netkit/util/file.hpp>

namespace netkit {

struct LaunchOptions {
  bool terminal = false;    // the group becomes the terminal's foreground
  bool capture = false;     // its output is read by the shell
  bool null_input = false;  // standard input is /dev/null where nothing else is said
  // The arguments of execvp for the words typed: netkit's own become `netkit …`.
  std::function<std::vector<std::string>(const std::vector<std::string>&)> resolve{};
  // What to say of a word that is no command. Called in a child.
  std::function<std::string(const std::string&)> unknown{};
};

struct Launched {
  pid_t group = 0;
  std::vector<pid_t> pids{};
  FileDescriptor output{};  // non-blocking, where it is captured
};

// All programs in one process group of their own. Throws SystemError where none can be started; a
// program that is not found ends with 127 and says so. The caller reaps.
Launched launch(const Pipeline& pipeline, const LaunchOptions& options);

}  // namespace netkit
