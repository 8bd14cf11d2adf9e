// The shell: runs lines, each command a child process, and keeps the table of its jobs.
#pragma once

#include "cli/shell_line.hpp"

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include <netkit/loop/event_loop.hpp>
#include <netkit/loop/process.hpp>
#include <netkit/util/clock.hpp>

namespace netkit {

struct Job {
  int id = 0;
  pid_t group = 0;  // 0: no program could be started
  std::vector<std::unique_ptr<Process>> processes{};
  std::size_t running = 0;
  int status = 0;  // of the last program; 128+n for a signal
  bool stopped = false;
  bool background = false;
  std::string text{};
  FileDescriptor output{};  // where the shell reads it
  std::string line{};       // of its output, as far as it came
  Watch watch{};            // of its output
};

class Shell {
 public:
  static constexpr std::size_t kMaxJobs = 64;

  struct Options {
    bool interactive = false;
    bool script_input = false;  // standard input is the script, not the commands'
    bool errexit = false;
    // What to start for the words typed: netkit's own become `netkit …`.
    std::function<std::vector<std::string>(const std::vector<std::string>&)> resolve{};
    std::function<std::string(const std::string&)> unknown{};  // of a word that is no command
    std::function<void(std::string_view text)> print{};        // above the prompt; empty: on stderr
    std::function<void()> on_interrupt{};
  };

  explicit Shell(Options options);
  ~Shell();  // ends the jobs: TERM, and KILL where that is not enough
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;

  EventLoop& loop() { return loop_; }
  void run_line(std::string_view line);
  bool ended() const { return ended_; }  // by exit, --errexit or a signal
  int status() const { return status_; }
  std::vector<int> job_ids() const;
  // Waits for one event, and reports the jobs that have ended.
  void turn();
  // The same; true: standard input can be read.
  bool wait_for_input();

 private:
  void run_pipeline(const Pipeline& pipeline);
  bool run_word(const std::vector<std::string>& words);
  static int exit_status(std::string_view word);
  void start(const Pipeline& pipeline);
  void launch(Job& job, const Pipeline& pipeline);
  bool launch_program(Job& job, const ShellCommand& command, ProcessOptions options, bool is_last);
  void wait_for(int id);
  void to_foreground(Job& job);
  void stop(Job& job);
  void list_jobs();
  Job* find(int id);
  Job& named(const std::vector<std::string>& words);
  void kill_and_wait(Job& job, int signo);
  void on_signal(int signo);
  void look_for_stops();
  void note_end(Job& job, const std::string& name, ProcessEnd end, bool is_last);
  void read_output(Job& job);
  void forget_ended();
  void say(const std::string& text);

  Options options_;
  SystemClock clock_;
  EventLoop loop_;
  std::vector<Hook> signals_;
  std::list<Job> jobs_;
  bool owns_terminal_ = false;
  bool ended_ = false;
  int status_ = 0;
};

}  // namespace netkit
