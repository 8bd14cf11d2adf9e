#include "shell.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

constexpr Duration kStopLimit = std::chrono::seconds(3);
constexpr std::size_t kMaxShownLine = 4096;
constexpr int kIgnored[] = {SIGTTOU, SIGTTIN, SIGTSTP, SIGQUIT};

// Signals that were asked for.
bool is_wanted_end(int signo) {
  return signo == SIGINT || signo == SIGPIPE || signo == SIGTERM || signo == SIGKILL;
}

struct Pipe {
  FileDescriptor read;
  FileDescriptor write;
};

Pipe make_pipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) throw SystemError(errno, "cannot create a pipe");
  return {FileDescriptor(fds[0]), FileDescriptor(fds[1])};
}

// Of a named pipe the other end is not waited for, which could hold the shell for ever.
FileDescriptor open_file(const Redirection& redirection) {
  const int mode = redirection.append ? O_APPEND : O_TRUNC;
  const int flags = redirection.fd == STDIN_FILENO ? O_RDONLY : O_WRONLY | O_CREAT | mode;
  FileDescriptor fd(
      ::open(redirection.file.c_str(), flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666));
  if (fd) ::fcntl(fd.get(), F_SETFL, flags & O_APPEND);
  return fd;
}

}  // namespace

Shell::Shell(Options options) : options_(std::move(options)), loop_(clock_) {
  for (const int signo : {SIGCHLD, SIGINT, SIGTERM, SIGHUP}) {
    signals_.push_back(loop_.on_signal(signo, [this, signo] { on_signal(signo); }));
  }
  owns_terminal_ = ::isatty(STDIN_FILENO) == 1 && ::tcgetpgrp(STDIN_FILENO) == ::getpgrp();
  for (const int signo : kIgnored) ::signal(signo, SIG_IGN);
}

Shell::~Shell() {
  for (Job& job : jobs_) stop(job);
  for (const int signo : kIgnored) ::signal(signo, SIG_DFL);
}

void Shell::say(const std::string& text) {
  if (options_.print) return options_.print(text + "\n");
  static_cast<void>(write_all(STDERR_FILENO, text + "\n"));
}

void Shell::run_line(std::string_view line) {
  try {
    for (const Pipeline& pipeline : parse_shell_line(line)) {
      run_pipeline(pipeline);
      if (ended_) return;
    }
  } catch (const Error& error) {
    say("netkit: shell: " + escaped_text(error.what()));
    status_ = static_cast<int>(error.status());
    if (options_.errexit) ended_ = true;
  }
}

void Shell::run_pipeline(const Pipeline& pipeline) {
  if (pipeline.commands.size() == 1 && run_word(pipeline.commands.front().words)) return;
  start(pipeline);
  if (options_.errexit && status_ != 0) ended_ = true;
}

int Shell::exit_status(std::string_view word) {
  const auto status = read_integer<int>(word);
  if (!status || *status < 0 || *status > 255) {
    throw UsageError(fmt::format("'{}' is not a status (0 to 255)", escaped_text(word)));
  }
  return *status;
}

bool Shell::run_word(const std::vector<std::string>& words) {
  const std::string& word = words.front();
  if (word == "help" && words.size() == 1) {  // which lists netkit's own
    static_cast<void>(
        write_all(STDOUT_FILENO, "Built-in commands: jobs, fg [N], stop [N], exit [STATUS]\n\n"));
    return false;
  }
  if (word == "jobs") {
    list_jobs();
  } else if (word == "fg") {
    to_foreground(named(words));
    return true;
  } else if (word == "stop") {
    stop(named(words));
    forget_ended();
  } else if (word == "exit" || word == "quit") {
    if (words.size() > 1) status_ = exit_status(words[1]);
    ended_ = true;
    return true;
  } else {
    return false;
  }
  status_ = 0;
  return true;
}

std::vector<int> Shell::job_ids() const {
  std::vector<int> ids;
  for (const Job& job : jobs_) ids.push_back(job.id);
  return ids;
}

Job* Shell::find(int id) {
  const auto at = std::ranges::find(jobs_, id, &Job::id);
  return at == jobs_.end() ? nullptr : &*at;
}

// The job that the words name; without a number the youngest.
Job& Shell::named(const std::vector<std::string>& words) {
  if (jobs_.empty()) throw UsageError("there are no jobs");
  if (words.size() < 2) return jobs_.back();
  std::string_view text = words[1];
  if (text.starts_with('%')) text.remove_prefix(1);
  const auto id = read_integer<int>(text);
  Job* job = id ? find(*id) : nullptr;
  if (job == nullptr) {
    throw UsageError(fmt::format("there is no job '{}'; see 'jobs'", escaped_text(words[1])));
  }
  return *job;
}

void Shell::list_jobs() {
  std::string out;
  for (const Job& job : jobs_) {
    if (job.running == 0) continue;
    out += "[" + std::to_string(job.id) + "] " + (job.stopped ? "stopped  " : "running  ") +
           escaped_text(job.text) + "\n";
  }
  static_cast<void>(write_all(STDOUT_FILENO, out));
}

void Shell::start(const Pipeline& pipeline) {
  if (jobs_.size() == kMaxJobs) throw UsageError("there are 64 jobs already; stop one");
  const int id = jobs_.empty() ? 1 : jobs_.back().id + 1;
  Job& job =
      jobs_.emplace_back(Job{.id = id, .background = pipeline.background, .text = pipeline.text});
  status_ = 0;
  try {
    launch(job, pipeline);
  } catch (...) {
    stop(job);
    jobs_.pop_back();
    throw;
  }
  if (!job.background) return wait_for(id);
  if (options_.interactive) say(fmt::format("[{}] {}", id, escaped_text(pipeline.text)));
}

// All programs in one process group of their own, each reading what the one before it prints.
void Shell::launch(Job& job, const Pipeline& pipeline) {
  Pipe captured;
  if (options_.interactive && job.background) captured = make_pipe();
  FileDescriptor input;
  if (job.background || options_.script_input) {
    input.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  }
  for (const ShellCommand& command : pipeline.commands) {
    const bool is_last = &command == &pipeline.commands.back();
    Pipe next;
    if (!is_last) next = make_pipe();
    ProcessOptions options{.own_group = job.group == 0,
                           .share_stdin = true,
                           .share_descriptors = true,
                           .group = job.group,
                           .foreground = owns_terminal_ && !job.background};
    const int output = is_last ? captured.write.get() : next.write.get();
    if (input) options.copies.emplace_back(input.get(), STDIN_FILENO);
    if (output >= 0) options.copies.emplace_back(output, STDOUT_FILENO);
    if (captured.write) options.copies.emplace_back(captured.write.get(), STDERR_FILENO);
    if (launch_program(job, command, std::move(options), is_last) && job.group == 0) {
      job.group = job.processes.back()->pid();
    }
    input = std::move(next.read);
  }
  if (!captured.read) return;
  ::fcntl(captured.read.get(), F_SETFL, O_NONBLOCK);
  job.output = std::move(captured.read);
  job.watch =
      loop_.watch(job.output.get(), Interest::read, [this, &job](Ready) { read_output(job); });
}

// False if it cannot be started; the reason has been reported and determines the status.
bool Shell::launch_program(Job& job, const ShellCommand& command, ProcessOptions options,
                           bool is_last) {
  const auto refuse = [&](const std::string& why, int status) {
    say("netkit: shell: " + why);
    if (is_last) job.status = status;
    return false;
  };
  std::vector<FileDescriptor> files;
  for (const Redirection& redirection : command.redirections) {
    if (redirection.to_output) {
      options.copies.emplace_back(STDOUT_FILENO, STDERR_FILENO);
      continue;
    }
    files.push_back(open_file(redirection));
    if (!files.back()) {
      return refuse(fmt::format("{}: {}", escaped_text(redirection.file), error_text(errno)), 1);
    }
    options.copies.emplace_back(files.back().get(), redirection.fd);
  }
  options.argv = options_.resolve(command.words);
  const std::string& word = options.argv.front();
  try {
    job.processes.push_back(Process::start(
        loop_, options, [this, &job, name = command.words.front(), is_last](ProcessEnd end) {
          note_end(job, name, end, is_last);
        }));
  } catch (const SystemError& error) {
    const int number = error.error_number();
    if (number == EAGAIN || number == ENOMEM) throw;
    const bool is_missing = number == ENOENT;
    if (is_missing && word.find('/') == word.npos) return refuse(options_.unknown(word), 127);
    return refuse(fmt::format("{}: {}", escaped_text(word), error_text(number)),
                  is_missing ? 127 : 126);
  }
  ++job.running;
  return true;
}

void Shell::wait_for(int id) {
  Job* job = find(id);
  while (job != nullptr && job->running > 0 && !job->stopped && !ended_) loop_.run_once(kNever);
  if (owns_terminal_) ::tcsetpgrp(STDIN_FILENO, ::getpgrp());
  if (job == nullptr || ended_) return;
  if (job->stopped) {
    job->background = true;
    status_ = 128 + SIGTSTP;
    return say("[" + std::to_string(id) + "] stopped  " + escaped_text(job->text));
  }
  status_ = job->status;
  // Ctrl-C ends a script with the command that it ended.
  if (!options_.interactive && status_ == 128 + SIGINT) ended_ = true;
  forget_ended();
}

void Shell::to_foreground(Job& job) {
  job.background = false;
  job.stopped = false;
  if (owns_terminal_) ::tcsetpgrp(STDIN_FILENO, job.group);
  ::kill(-job.group, SIGCONT);
  wait_for(job.id);
}

void Shell::stop(Job& job) {
  kill_and_wait(job, SIGTERM);
  kill_and_wait(job, SIGKILL);
}

void Shell::kill_and_wait(Job& job, int signo) {
  if (job.running == 0) return;
  ::kill(-job.group, signo);
  ::kill(-job.group, SIGCONT);
  const TimePoint limit = clock_.now() + kStopLimit;
  while (job.running > 0 && clock_.now() < limit) loop_.run_once(limit - clock_.now());
}

void Shell::turn() {
  loop_.run_once(kNever);
  forget_ended();
}

bool Shell::wait_for_input() {
  bool ready = false;
  const Watch input = loop_.watch(STDIN_FILENO, Interest::read, [&ready](Ready) { ready = true; });
  turn();
  return ready;
}

void Shell::on_signal(int signo) {
  if (signo == SIGCHLD) return look_for_stops();
  if (signo == SIGINT && options_.interactive) {
    if (options_.on_interrupt) options_.on_interrupt();
    return;
  }
  ended_ = true;
  status_ = 128 + signo;
}

void Shell::look_for_stops() {
  for (Job& job : jobs_) {
    for (const auto& process : job.processes) {
      job.stopped = process->take_stop_change().value_or(job.stopped);
    }
  }
}

void Shell::note_end(Job& job, const std::string& name, ProcessEnd end, bool is_last) {
  --job.running;
  if (end.signo != 0 && !is_wanted_end(end.signo)) {
    say(fmt::format("netkit: {}: crashed: {}", escaped_text(name), ::strsignal(end.signo)));
  }
  if (!is_last) return;
  job.status = end.status;
  // Behind ^C, which the terminal has shown.
  if (end.signo == SIGINT && options_.interactive && !job.background) say("");
}

// Peers' bytes may be in it, so it is escaped before the terminal sees it.
void Shell::read_output(Job& job) {
  char buffer[4096];
  const ssize_t count = ::read(job.output.get(), buffer, sizeof buffer);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count > 0) job.line.append(buffer, static_cast<std::size_t>(count));
  const std::string mark = "[" + std::to_string(job.id) + "] ";
  std::string shown;
  for (std::size_t end = 0; (end = job.line.find('\n')) != job.line.npos;) {
    shown += mark + escaped_text(job.line.substr(0, end)) + "\n";
    job.line.erase(0, end + 1);
  }
  if (!job.line.empty() && (count <= 0 || job.line.size() > kMaxShownLine)) {
    shown += mark + escaped_text(std::exchange(job.line, {})) + "\n";
  }
  if (count <= 0) {
    job.watch.reset();
    job.output.reset();
  }
  if (shown.empty()) return;
  shown.pop_back();
  say(shown);
}

void Shell::forget_ended() {
  for (auto job = jobs_.begin(); job != jobs_.end();) {
    const bool open = job->running > 0 || job->output;
    if (open) {
      ++job;
      continue;
    }
    if (job->background && options_.interactive) {
      say("[" + std::to_string(job->id) + "] ended with " + std::to_string(job->status) + "  " +
          escaped_text(job->text));
    }
    job = jobs_.erase(job);
  }
}

}  // namespace netkit
