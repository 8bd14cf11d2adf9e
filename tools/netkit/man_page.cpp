#include "man_page.hpp"

#include "app.hpp"
#include "plugin/search_path.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace netkit {
namespace {

namespace fs = std::filesystem;

// The exit status of `argv`, 127 where it cannot be started.
int run(const std::vector<std::string>& argv, bool silently) {
  std::vector<char*> words;
  words.reserve(argv.size() + 1);
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  if (silently) {
    ::posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  }
  pid_t child = 0;
  const int error = ::posix_spawnp(&child, words[0], &files, nullptr, words.data(), environ);
  ::posix_spawn_file_actions_destroy(&files);
  if (error != 0) return 127;
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Where the pages of a user's own plugins are; relative where it is not known.
fs::path user_data_folder() {
  const auto data = environment_variable("XDG_DATA_HOME");
  if (data && data->starts_with('/')) return *data;
  return fs::path(environment_variable("HOME").value_or("")) / ".local/share";
}

}  // namespace

bool show_man_page(const std::string& name) {
  for (const fs::path& data : {user_data_folder(), executable_folder() / NETKIT_BIN_TO_DATA}) {
    for (const char* suffix : {".1", ".1.gz"}) {
      const fs::path page = (data / "man" / "man1" / (name + suffix)).lexically_normal();
      std::error_code missing;
      // A name with a slash is a file to man.
      if (page.is_absolute() && fs::exists(page, missing) &&
          run({"man", "-w", page.string()}, true) == 0) {
        return run({"man", page.string()}, false) == 0;
      }
    }
  }
  return run({"man", "-w", "1", name}, true) == 0 && run({"man", "1", name}, false) == 0;
}

}  // namespace netkit
