// The shell: runs lines, each command a child process, and keeps the table of its jobs.
#pragma once

#include "cli/shell_line.hpp"
#include "shell_launch.hpp"

#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/loop/event_loop.hpp>
#include <netkit/util/clock.hpp>

namespace netkit {

struct Job {
  int id = 0;
  Launched processes{};
  std::vector<std::string> names{};  // the first word of each program
  std::size_t running = 0;
  int status = 0;  // of the last program; 128+n for a signal
  bool stopped = false;
  bool background = false;
  std::string text{};
  std::string line{};  // of its output, as far as it came
  Watch watch{};       // of its output
};

class Shell {
 public:
  static constexpr std::size_t kMaxJobs = 64;

  struct Options {
    bool interactive = false;
    bool script_input = false;  // standard input is the script, not the commands'
    bool errexit = false;
    std::function<std::vector<std::string>(const std::vector<std::string>&)> resolve{};
    std::function<std::string(const std::string&)> unknown{};  // of a word that is no command
    std::function<void()> before_output{};  // a line of a job is shown above the prompt
    std::function<void()> after_output{};
    std::function<void()> on_interrupt{};
  };

  explicit Shell(Options options);
  ~Shell();  // ends the jobs: TERM, and KILL where that is not enough
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;

  void run_line(std::string_view line);
  bool ended() const { return ended_; }  // by exit, --errexit or a signal
  int status() const { return status_; }
  std::vector<int> job_ids() const;
  // Waits for signals, output of jobs and, where `input` is set, standard input; true: it can be
  // read.
  bool wait(bool input, Duration limit = kNever);

 private:
  void run_pipeline(const Pipeline& pipeline);
  bool run_word(const std::vector<std::string>& words);
  static int exit_status(std::string_view word);
  void start(const Pipeline& pipeline);
  void wait_for(int id);
  void to_foreground(Job& job);
  void stop(Job& job);
  void list_jobs();
  Job* find(int id);
  Job& named(const std::vector<std::string>& words);
  void kill_and_wait(Job& job, int signo);
  void on_signal(int signo);
  void reap();
  void note_end(Job& job, std::size_t index, int wait_status);
  void read_output(Job& job);
  void forget_ended();
  void say(const std::string& text);

  Options options_;
  SystemClock clock_;
  EventLoop loop_;
  std::vector<Hook> signals_;
  std::list<Job> jobs_;
  Watch input_;  // only while it is waited for
  bool input_ready_ = false;
  bool owns_terminal_ = false;
  bool ended_ = false;
  int status_ = 0;
};

}  // namespace netkit
