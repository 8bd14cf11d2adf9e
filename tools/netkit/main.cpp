// One invocation, with the program's one catch block.
#include "app.hpp"
#include "cli/help.hpp"
#include "commands.hpp"

#include <csignal>
#include <string>
#include <unistd.h>
#include <vector>

#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/terminal.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

// A reader of stdout that goes ends us quietly, though a static constructor of Poco blocks SIGPIPE
// and some parents leave it ignored.
void unblock_sigpipe() {
  std::signal(SIGPIPE, SIG_DFL);
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGPIPE);
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

int report(const App* app, const std::string& sentence, ExitStatus status) {
  const std::string command = app == nullptr ? "" : app->command();
  const bool colored = takes_colors(STDERR_FILENO);
  const std::string name = colored ? "\x1b[31mnetkit:\x1b[0m " : "netkit: ";
  const std::string prefix = command.empty() ? name : name + command + ": ";
  const bool is_usage = status == ExitStatus::usage;
  const std::string message =
      is_usage ? with_help_hint(sentence, command, app == nullptr ? "" : app->action()) : sentence;
  // There is no way to report that this fails.
  static_cast<void>(write_all(STDERR_FILENO, prefix + escaped_text(message) + "\n"));
  return static_cast<int>(status);
}

int run(std::vector<std::string> words) {
  std::optional<App> app;
  const auto known = [&app] { return app ? &*app : nullptr; };
  try {
    app.emplace(std::move(words));
    return dispatch(*app);
  } catch (const Error& error) {
    return report(known(), error.what(), error.status());
  } catch (const std::exception& error) {
    return report(known(), std::string("internal fault: ") + error.what(), ExitStatus::fault);
  } catch (...) {
    return report(known(), "internal fault", ExitStatus::fault);
  }
}

}  // namespace
}  // namespace netkit

int main(int argc, char** argv) {
  netkit::unblock_sigpipe();
  return netkit::run({argv + (argc > 0 ? 1 : 0), argv + argc});
}
