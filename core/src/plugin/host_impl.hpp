// The Host of the executable: runs one command, from opening its sinks to its exit status.
#pragma once

#include "plugin/live_line.hpp"
#include "plugin/process_context.hpp"
#include "plugin/totals_report.hpp"
#include "record/output_impl.hpp"
#include "record/record_feed.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/cli/option.hpp>
#include <netkit/cli/values.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/plugin/plugin.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/export.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/log.hpp>

namespace netkit {

struct RunOptions {
  LogLevel log_level = LogLevel::notice;
  Duration timeout = kNever;
  bool stats = false;  // --stats was given
  Duration stats_period = kNever;
  bool end_record = true;  // not with --no-end
  std::optional<int> ready_fd;
  std::string metrics;  // an address; empty: none
  std::string sandbox;  // auto, require, off; empty: off
  OutputOptions output;
};

// Throws UsageError for a template that does not parse.
RunOptions read_run_options(const ActionDef& action, const Values& values);

// On the main thread; one at a time. In main:
//
//   HostImpl host("echo", action, values, clock);
//   try { status = host.run(*command); } catch (const Error& e) { status = host.report_error(e); }
//   ... everything is destroyed ...
//   if (signo != 0) end_by_signal(signo);   // signo from host.fatal_signal()
class NETKIT_API HostImpl final : public Host, public FeedOpener {
 public:
  // `action`, `values` and `clock` must outlive it. Opens nothing but the loop. Throws Error.
  // `load_store` finds what makes the engines of a scheme's stores, and throws where there is none.
  using LoadStore = std::function<store::EngineFactory(std::string_view scheme)>;
  HostImpl(std::string command, const ActionDef& action, const Values& values, const Clock& clock,
           LoadStore load_store = {});
  ~HostImpl() override;

  // Opens the sinks, runs the command, reports the totals, and returns the exit status. Lets what
  // run() throws pass.
  int run(Command& command);
  // For exceptions after construction, mostly of run(): one line on stderr, and the
  // `end` record with "ok":false. Returns the exit status.
  int report_error(const Error& error);
  // The signal that the process must end by once everything is cleaned up: SIGPIPE when the reader
  // of stdout has gone; 0: none.
  int fatal_signal() const { return fatal_signal_; }

  EventLoop& loop() override { return loop_; }
  const Clock& clock() const override { return clock_; }
  Log& log() override { return log_; }
  Output& output() override;
  const Values& values() const override { return values_; }
  std::string_view command() const override { return command_; }
  bool interactive() const override { return interactive_; }
  void ready(const std::vector<std::string>& descriptions) override;
  void set_totals(std::function<void(Totals&)> fill) override;
  void set_metrics(std::function<void(std::string&)> append) override {
    append_metrics_ = std::move(append);
  }
  void on_stop(std::function<void(StopReason)> callback) override { stop_ = std::move(callback); }
  ExitStatus run_loop() override;
  void finish(ExitStatus status, std::string error) override;
  bool finishing() const override { return finished_.has_value(); }
  void show_totals() override;
  store::MakeEngine stores() override;
  std::unique_ptr<RecordFeed> open_feed(const std::string& name, RecordFeed::Give give) override;
  void lend_terminal(Editor editor) override;

 private:
  void open();
  void release_callbacks(ExitStatus status);
  bool is_bounded() const;
  void start_timers();
  void take_over_signals();
  void open_metrics();
  void announce_metrics();
  void enter_sandbox();
  void on_signal(int signo);
  void end_line_of_key() const;
  void on_out_of_memory();
  void begin_stop(StopReason reason);
  void fail_output(ExitStatus status, const std::string& error);
  void lose_reader();
  Totals totals() const;
  std::string final_line() const;
  bool is_server() const;
  void show_stats();
  void update_live_line();
  void drain();
  void flush_all();
  void emit_end(std::string_view error);
  int end(ExitStatus returned);
  int exit_code(ExitStatus returned) const;
  std::string error_of(int code) const;
  std::string hinted(ExitStatus status, const std::string& error) const;

  StandardStreams streams_;  // first, before anything is opened
  std::string command_;
  const ActionDef& action_;
  const Values& values_;
  const Clock& clock_;
  LoadStore load_store_;
  RunOptions options_;
  bool interactive_;
  Log log_;
  EventLoop loop_;
  StopSignals signals_;
  std::unique_ptr<OutputImpl> output_;
  std::unique_ptr<LiveLine> live_;
  std::unique_ptr<MetricsServer> metrics_;
  Timer timeout_;
  Timer stats_;
  Timer cut_off_;
  std::function<void(Totals&)> fill_;
  std::function<void(std::string&)> append_metrics_;
  Totals final_totals_;  // of the action, once its loop has ended
  TotalsBefore before_;  // as --stats=D showed them last
  TimePoint before_at_;
  WallTime started_;
  std::function<void(StopReason)> stop_;
  std::function<void()> restore_terminal_;
  std::optional<ExitStatus> finished_;
  TimePoint next_memory_line_ = TimePoint::min();
  std::optional<ExitStatus> output_failure_;
  std::optional<StopReason> stopping_;
  std::string error_;
  int signal_ = 0;  // that came first
  int fatal_signal_ = 0;
  bool has_signals_ = false;
  bool ready_ = false;
};

}  // namespace netkit
