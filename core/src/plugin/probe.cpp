#include "plugin/plugin_file.hpp"
#include "plugin/registry.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/quantity.hpp>

namespace netkit {
namespace {

constexpr char kWell = '+';
constexpr char kWrong = '-';

// One sentence, in the child.
std::string verdict(const std::string& path) {
  try {
    if (inspect_plugin(path).kind == PluginKind::store) {
      load_store(path);
      return {};
    }
    const PluginPtr plugin = load_plugin(path);
    return declaration_problem(plugin->actions());
  } catch (const std::exception& error) {
    const std::string sentence = error.what();
    const std::string prefix = "plugin " + path + " ";
    return sentence.starts_with(prefix) ? sentence.substr(prefix.size()) : sentence;
  } catch (...) {
    return "threw something that is not an exception";
  }
}

[[noreturn]] void run_child(const std::string& path, int report) {
  const struct rlimit no_core = {};
  ::setrlimit(RLIMIT_CORE, &no_core);
  const std::string problem = verdict(path);
  const std::string message = (problem.empty() ? kWell : kWrong) + problem;
  // A pipe holds this much at once; if the parent is gone, it does not matter.
  const ssize_t written =
      ::write(report, message.data(), std::min<std::size_t>(message.size(), 4096));
  // No destructors: the plugin's might crash as well.
  ::_exit(written < 0 ? 1 : 0);
}

// What the child wrote until it closed the pipe, or nothing when the time was up.
std::optional<std::string> read_report(int fd, Duration limit) {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  const SystemClock clock;
  const TimePoint end = clock.now() + limit;
  std::string report;
  for (;;) {
    const auto left = duration_cast<milliseconds>(end - clock.now()).count();
    struct pollfd wanted = {fd, POLLIN, 0};
    const int ready = left <= 0 ? 0 : ::poll(&wanted, 1, static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return std::nullopt;
    std::array<char, 4096> buffer{};
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return report;
    report.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

std::string signal_name(int number) {
  const char* description = ::sigdescr_np(number);
  std::string text = description == nullptr ? "signal " + std::to_string(number) : description;
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z')
    text[0] = static_cast<char>(text[0] | 0x20);
  return text;
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

std::string judge(const std::optional<std::string>& report, int status, Duration limit) {
  if (!report) return "did not finish loading in " + format_duration(limit);
  if (!report->empty()) return report->substr(1);
  if (WIFSIGNALED(status)) return "crashed while it loaded: " + signal_name(WTERMSIG(status));
  return "ended the process while it loaded, with status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

std::string probe_plugin(const std::string& path, Duration limit) {
  if (std::string problem = inspect_plugin(path).problem; !problem.empty()) return problem;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw SystemError(errno, "cannot create a pipe");
  FileDescriptor read_end(ends[0]);
  FileDescriptor write_end(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) throw SystemError(errno, "cannot start a process");
  if (child == 0) run_child(path, write_end.get());
  write_end.reset();
  const std::optional<std::string> report = read_report(read_end.get(), limit);
  if (!report) ::kill(child, SIGKILL);
  return judge(report, wait_for(child), limit);
}

}  // namespace netkit
