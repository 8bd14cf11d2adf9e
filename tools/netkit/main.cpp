// One invocation, with the program's one catch block.
#include "app.hpp"
#include "commands.hpp"

#include <csignal>
#include <string>
#include <unistd.h>
#include <vector>

#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>
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

int report(const std::string& command, const std::string& message, ExitStatus status) {
  const std::string prefix = command.empty() ? "netkit: " : "netkit: " + command + ": ";
  // Nothing can be said when that fails.
  static_cast<void>(write_all(STDERR_FILENO, prefix + escaped_text(message) + "\n"));
  return static_cast<int>(status);
}

int run(std::vector<std::string> words) {
  std::optional<App> app;
  const auto command = [&app] { return app ? app->command() : std::string(); };
  try {
    app.emplace(std::move(words));
    return dispatch(*app);
  } catch (const Error& error) {
    return report(command(), error.what(), error.status());
  } catch (const std::exception& error) {
    return report(command(), std::string("internal fault: ") + error.what(), ExitStatus::fault);
  } catch (...) {
    return report(command(), "internal fault", ExitStatus::fault);
  }
}

}  // namespace
}  // namespace netkit

int main(int argc, char** argv) {
  netkit::unblock_sigpipe();
  return netkit::run({argv + (argc > 0 ? 1 : 0), argv + argc});
}
