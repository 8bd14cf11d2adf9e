#include "shell.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

constexpr Duration kStopLimit = std::chrono::seconds(3);
constexpr std::size_t kMaxShownLine = 4096;
constexpr int kIgnored[] = {SIGTTOU, SIGTTIN, SIGTSTP, SIGQUIT};

// Endings that somebody asked for.
bool is_wanted_end(int signo) {
  return signo == SIGINT || signo == SIGPIPE || signo == SIGTERM || signo == SIGKILL;
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
  if (options_.before_output) options_.before_output();
  static_cast<void>(write_all(STDERR_FILENO, text + "\n"));
  if (options_.after_output) options_.after_output();
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
  int status = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), status);
  if (error != std::errc() || end != word.data() + word.size() || status < 0 || status > 255) {
    throw UsageError("'" + escaped_text(word) + "' is not a status (0 to 255)");
  }
  return status;
}

bool Shell::run_word(const std::vector<std::string>& words) {
  const std::string& word = words.front();
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
  int id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  Job* job = find(id);
  if (error != std::errc() || end != text.data() + text.size() || job == nullptr) {
    throw UsageError("there is no job '" + escaped_text(words[1]) + "'; see 'jobs'");
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
  const bool background = pipeline.background;
  LaunchOptions how{.terminal = owns_terminal_ && !background,
                    .capture = options_.interactive && background,
                    .null_input = background || options_.script_input,
                    .resolve = options_.resolve,
                    .unknown = options_.unknown};
  Job job{.id = jobs_.empty() ? 1 : jobs_.back().id + 1, .background = background};
  job.text = pipeline.text;
  job.processes = launch(pipeline, how);
  job.running = job.processes.pids.size();
  for (const ShellCommand& command : pipeline.commands) job.names.push_back(command.words.front());
  const int id = job.id;
  Job& started = jobs_.emplace_back(std::move(job));
  if (started.processes.output) {
    started.watch = loop_.watch(started.processes.output.get(), Interest::read,
                                [this, &started](Ready) { read_output(started); });
  }
  status_ = 0;
  if (!background) return wait_for(id);
  if (options_.interactive) say("[" + std::to_string(id) + "] " + escaped_text(pipeline.text));
}

void Shell::wait_for(int id) {
  Job* job = find(id);
  while (job != nullptr && job->running > 0 && !job->stopped && !ended_) wait(false);
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
  if (owns_terminal_) ::tcsetpgrp(STDIN_FILENO, job.processes.group);
  ::kill(-job.processes.group, SIGCONT);
  wait_for(job.id);
}

void Shell::stop(Job& job) {
  kill_and_wait(job, SIGTERM);
  kill_and_wait(job, SIGKILL);
}

void Shell::kill_and_wait(Job& job, int signo) {
  if (job.running == 0) return;
  ::kill(-job.processes.group, signo);
  ::kill(-job.processes.group, SIGCONT);
  const TimePoint limit = clock_.now() + kStopLimit;
  while (job.running > 0 && clock_.now() < limit) wait(false, limit - clock_.now());
}

bool Shell::wait(bool input, Duration limit) {
  input_ready_ = false;
  if (input && !input_) {
    input_ = loop_.watch(STDIN_FILENO, Interest::read, [this](Ready) { input_ready_ = true; });
  }
  if (input_) input_.set(input ? Interest::read : Interest::none);
  loop_.run_once(limit);
  // Signals before what was typed: the line behind a Ctrl-C may be seen before its signal is.
  if (input_ready_) loop_.run_once(Duration::zero());
  if (input) forget_ended();
  return input_ready_;
}

void Shell::on_signal(int signo) {
  if (signo == SIGCHLD) return reap();
  if (signo == SIGINT && options_.interactive) {
    if (options_.on_interrupt) options_.on_interrupt();
    return;
  }
  ended_ = true;
  status_ = 128 + signo;
}

void Shell::reap() {
  for (Job& job : jobs_) {
    for (std::size_t i = 0; i < job.processes.pids.size(); ++i) {
      pid_t& pid = job.processes.pids[i];
      int status = 0;
      while (pid > 0 && ::waitpid(pid, &status, WNOHANG | WUNTRACED | WCONTINUED) == pid) {
        if (WIFSTOPPED(status)) {
          job.stopped = true;
        } else if (WIFCONTINUED(status)) {
          job.stopped = false;
        } else {
          pid = 0;
          note_end(job, i, status);
        }
      }
    }
  }
}

void Shell::note_end(Job& job, std::size_t index, int wait_status) {
  --job.running;
  const int signo = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;
  if (signo != 0 && !is_wanted_end(signo)) {
    say("netkit: " + escaped_text(job.names[index]) + ": crashed: " + ::strsignal(signo));
  }
  if (index + 1 != job.processes.pids.size()) return;
  job.status = signo != 0 ? 128 + signo : WEXITSTATUS(wait_status);
}

// Peers' bytes may be in it, so it is escaped before the terminal sees it.
void Shell::read_output(Job& job) {
  char buffer[4096];
  const ssize_t count = ::read(job.processes.output.get(), buffer, sizeof buffer);
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
    job.processes.output.reset();
  }
  if (shown.empty()) return;
  shown.pop_back();
  say(shown);
}

void Shell::forget_ended() {
  for (auto job = jobs_.begin(); job != jobs_.end();) {
    const bool open = job->running > 0 || job->processes.output;
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
