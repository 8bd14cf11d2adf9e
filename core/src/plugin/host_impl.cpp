#include "plugin/host_impl.hpp"

#include "cli/help.hpp"
#include "plugin/process_context.hpp"
#include "plugin/registry.hpp"
#include "plugin/sandbox.hpp"
#include "plugin/store_records.hpp"
#include "plugin/totals_report.hpp"
#include "util/blocking_call.hpp"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include <netkit/util/quantity.hpp>
#include <netkit/util/terminal.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

// How long what is due at the end may take: a stop callback, commands of exec: sinks, a reader of
// stdout that does not read.
constexpr Duration kPatience = std::chrono::seconds(5);

constexpr std::size_t kMostShown = 5;  // totals, for people

bool is_terminal(int fd) {
  return ::isatty(fd) == 1;
}

// The last command of a pipeline writes to the terminal at any time.
bool is_pipe(int fd) {
  struct stat info = {};
  return ::fstat(fd, &info) == 0 && (S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode));
}

// Whether the terminal shows Ctrl-C as ^C.
bool shows_keys(int fd) {
  termios modes{};
  const tcflag_t wanted = ECHO | ECHOCTL;
  return ::tcgetattr(fd, &modes) == 0 && (modes.c_lflag & wanted) == wanted;
}

// Those of the descriptions `udp 127.0.0.1:9000`.
std::vector<Endpoint> udp_sockets(const std::vector<std::string>& descriptions) {
  constexpr std::string_view kUdp = "udp ";
  std::vector<Endpoint> sockets;
  for (const std::string& description : descriptions) {
    if (!description.starts_with(kUdp)) continue;
    if (auto local = Endpoint::parse(description.substr(kUdp.size()))) sockets.push_back(*local);
  }
  return sockets;
}

std::string meaning_of(int code) {
  for (const ExitStatusInfo& info : exit_statuses()) {
    if (static_cast<int>(info.status) == code) return std::string(info.meaning);
  }
  return "exit status " + std::to_string(code);
}

// Before the run opens descriptors of its own, one of which could have that number.
RunOptions with_ready_fd(RunOptions options) {
  const int fd = options.ready_fd.value_or(-1);
  // The standard streams stay open, for commands that are started as well.
  const int request = fd > STDERR_FILENO ? F_SETFD : F_GETFD;
  if (options.ready_fd && ::fcntl(fd, request, FD_CLOEXEC) < 0) {
    throw UsageError(fmt::format("--ready-fd: {} is not an open descriptor", fd));
  }
  return options;
}

std::unique_ptr<Command> make_command(const ActionDef& action, const Values& values) {
  std::unique_ptr<Command> command = action.make == nullptr ? nullptr : action.make();
  if (command == nullptr) {
    throw PluginError(fmt::format("the plugin has no action '{}'", action.name));
  }
  command->configure(values);
  return command;
}

}  // namespace

HostImpl::HostImpl(std::string command, const ActionDef& action, const Values& values,
                   const Clock& clock, LoadStore load_store)
    : command_(std::move(command)),
      action_(action),
      values_(values),
      clock_(clock),
      load_store_(std::move(load_store)),
      options_(with_ready_fd(read_run_options(action, values))),
      interactive_(options_.output.format == Format::text && is_terminal(STDIN_FILENO) &&
                   is_terminal(STDOUT_FILENO)),
      log_("netkit: " + command_ + ": ", options_.log_level, &clock_),
      loop_(clock),
      final_totals_(action.totals),
      started_(clock.wall()) {}

HostImpl::~HostImpl() {
  BlockingCall::set_deadline(TimePoint::max());
}

store::MakeEngine HostImpl::stores() {
  return [this](const store::Settings& settings, store::Engine::Handler& handler) {
    const store::EngineFactory make = load_store_(store::scheme_of(settings.url));
    return make({loop_, log_}, settings, handler);
  };
}

std::unique_ptr<RecordFeed> HostImpl::open_feed(const std::string& name, RecordFeed::Give give) {
  return open_store_feed(*this, name, std::move(give));
}

Output& HostImpl::output() {
  return *output_;
}

int HostImpl::run(Command& command) {
  open();
  try {
    const ExitStatus returned = command.run(*this);
    release_callbacks(returned);
    return end(returned);
  } catch (...) {
    release_callbacks(ExitStatus::fault);
    throw;
  }
}

// run() is over, and what its callbacks refer to is gone.
void HostImpl::release_callbacks(ExitStatus status) {
  live_.reset();
  metrics_.reset();
  fill_ = {};
  append_metrics_ = {};
  stop_ = {};
  if (!finished_) finished_ = status;
}

void HostImpl::open() {
  BlockingCall::set_deadline(saturating_add(loop_.now(), options_.timeout));
  const auto failed = [this](ExitStatus status, const std::string& error) {
    fail_output(status, error);
  };
  const auto open_store = [this, failed](const SinkSpec& spec, std::size_t number,
                                         std::unique_ptr<Formatter> formatter) {
    return open_store_sink({loop_, clock_, log_, failed, stores()}, spec, number,
                           std::move(formatter));
  };
  output_ = std::make_unique<OutputImpl>(
      options_.output, OutputContext{loop_, log_, action_.records, failed,
                                     [this] { lose_reader(); }, signals_.fd(), open_store});
  start_timers();
}

void HostImpl::start_timers() {
  timeout_ = loop_.after(options_.timeout, [this] { begin_stop(StopReason::timeout); });
  if (options_.stats_period > Duration::zero() && options_.stats_period != kNever) {
    before_at_ = loop_.now();
    stats_ = loop_.every(options_.stats_period, [this] { show_stats(); });
  }
  if (options_.timeout != kNever) {
    output_->set_deadline(saturating_add(loop_.now(), options_.timeout), false);
  }
}

void HostImpl::set_totals(std::function<void(Totals&)> fill) {
  fill_ = std::move(fill);
  signals_.keep_for_loop();
}

void HostImpl::take_over_signals() {
  if (std::exchange(has_signals_, true)) return;
  signals_.hand_over(loop_, [this](int signo) { on_signal(signo); });
}

void HostImpl::on_signal(int signo) {
  if (signo == SIGUSR1) return show_totals();
  signal_ = signo;
  end_line_of_key();
  // After --timeout, which has begun the stop already, a signal ends it at once.
  if (stopping_) StopSignals::end_now(signo);
  begin_stop(StopReason::signal);
}

// Where ^C stands behind the live line, it is erased with it; the editor of a prompt shows its own.
void HostImpl::end_line_of_key() const {
  const bool is_seen = StopSignals::was_typed() && !restore_terminal_ &&
                       !(live_ && live_->is_visible()) && !is_pipe(STDOUT_FILENO) &&
                       shows_keys(STDERR_FILENO);
  if (is_seen) static_cast<void>(write_all(STDERR_FILENO, "\n"));
}

void HostImpl::begin_stop(StopReason reason) {
  if (stopping_) return;
  stopping_ = reason;
  timeout_.reset();
  if (reason == StopReason::timeout) {
    output_->set_deadline(saturating_add(clock_.now(), kPatience), true);
  } else {
    output_->set_patience(kPatience);  // a slow reader gets everything; a second signal ends it
  }
  if (ready_) notify_manager("STOPPING=1");
  if (reason == StopReason::timeout) {
    const std::string passed = "--timeout: " + format_duration(options_.timeout) + " passed";
    if (!output_failure_) error_ = passed;
    log_.error(passed);
  }
  if (finished_) return;
  cut_off_ = loop_.after(kPatience, [this] { finish(ExitStatus::done, {}); });
  if (!stop_) return finish(ExitStatus::done, {});
  stop_(reason);
}

void HostImpl::fail_output(ExitStatus status, const std::string& error) {
  if (output_failure_) return;
  output_failure_ = status;
  error_ = error;
  log_.error(error);
  finish(status, {});
}

void HostImpl::lose_reader() {
  fatal_signal_ = SIGPIPE;
  finish(ExitStatus::done, {});
}

// A server survives running out of memory; what it was working on is dropped.
void HostImpl::on_out_of_memory() {
  const TimePoint now = clock_.now();
  if (now < next_memory_line_) return;
  next_memory_line_ = now + std::chrono::seconds(1);
  log_.notice(fmt::format("out of memory: dropped the current input ({} times so far)",
                          loop_.counters().out_of_memory));
}

void HostImpl::ready(const std::vector<std::string>& descriptions) {
  open_metrics();  // while it can still be said that nothing listens
  output_->refuse_loops(udp_sockets(descriptions));
  take_over_signals();
  loop_.on_out_of_memory([this] { on_out_of_memory(); });
  enter_sandbox();
  ready_ = true;
  std::string lines;
  std::string status = "listening on";
  for (const std::string& description : descriptions) {
    // Not a notice: programs that start a server with -q wait for this line, too.
    log_.error("listening on " + description);
    lines += "netkit: " + command_ + ": listening on " + description + "\n";
    status += (status.ends_with("on") ? " " : ", ") + description;
  }
  if (options_.ready_fd && *options_.ready_fd != STDERR_FILENO) {  // which has them already
    const int error = write_and_close(*options_.ready_fd, lines);
    if (error != 0) log_.notice("--ready-fd: " + error_text(error));
  }
  announce_metrics();
  notify_manager("READY=1\nSTATUS=" + status);
}

void HostImpl::open_metrics() {
  if (options_.metrics.empty()) return;
  metrics_ = std::make_unique<MetricsServer>(loop_, options_.metrics, [this] {
    std::string text =
        metrics_text(totals(), {command_, action_.name, started_, loop_.counters().out_of_memory});
    if (append_metrics_) append_metrics_(text);
    return text;
  });
}

void HostImpl::announce_metrics() {
  if (!metrics_) return;
  for (const Endpoint& local : metrics_->locals()) {
    log_.notice("metrics on http://" + local.to_string() + "/metrics");
  }
}

void HostImpl::enter_sandbox() {
  if (options_.sandbox.empty() || options_.sandbox == "off") return;
  const SandboxNeeds needs = sandbox_needs(action_, values_);
  const std::string missing = netkit::enter_sandbox(needs);
  if (!missing.empty() && options_.sandbox == "require") {
    throw Error(ExitStatus::config, "--sandbox require: " + missing);
  }
  if (!missing.empty()) log_.info("sandbox: " + missing);
  if (needs.programs) {
    log_.info(
        "sandbox: file access is not restricted, because the command line names programs to run");
  }
}

ExitStatus HostImpl::run_loop() {
  take_over_signals();
  if (!ready_) {  // of what is no server
    open_metrics();
    announce_metrics();
  }
  update_live_line();
  while (!finished_) loop_.run();
  // What the callbacks refer to may be gone after this.
  live_.reset();
  metrics_.reset();
  if (fill_) fill_(final_totals_);
  fill_ = {};
  append_metrics_ = {};
  output_->on_unblocked({});
  return *finished_;
}

void HostImpl::finish(ExitStatus status, std::string error) {
  if (finished_) return;
  finished_ = status;
  if (!error.empty()) {
    log_.error(error);
    if (error_.empty()) error_ = std::move(error);  // the first one is the reason
  }
  loop_.stop();
}

Totals HostImpl::totals() const {
  Totals totals = final_totals_;
  if (fill_) fill_(totals);
  if (output_) output_->add_totals(totals);
  return totals;
}

void HostImpl::show_totals() {
  const std::string line = totals_line(totals());
  // At the level that is always shown: it was asked for.
  if (!line.empty()) log_.error(line);
}

void HostImpl::show_stats() {
  before_.seconds = std::chrono::duration<double>(loop_.now() - before_at_).count();
  const Totals now = totals();
  const std::string line = totals_line(now, before_);
  if (!line.empty()) log_.error(line);
  if (options_.output.format == Format::json) {
    output_->emit_end(stats_record(now, before_, clock_.wall()));
  }
  before_.totals = now;
  before_at_ = loop_.now();
}

bool HostImpl::is_server() const {
  return (action_.common & kServerOptions) != 0;
}

// The report at the end; empty: none. Everything if it was requested, at a terminal only what
// matters.
std::string HostImpl::final_line() const {
  const Totals all = totals();
  if (options_.stats || log_.enabled(LogLevel::info)) return totals_line(all);
  if (!log_.enabled(LogLevel::notice)) return {};
  if (action_.has_summary) return {};
  if (!is_terminal(STDERR_FILENO)) return signal_ != 0 ? totals_line(all) : std::string();
  if (!(is_server() || has_losses(all))) return {};
  return totals_sentence(all, kMostShown, locale_is_utf8());
}

void HostImpl::update_live_line() {
  const bool wanted = fill_ && (is_server() || action_.has_summary) && !restore_terminal_ &&
                      log_.enabled(LogLevel::notice) && takes_escapes(STDERR_FILENO) &&
                      !is_pipe(STDOUT_FILENO);
  if (!wanted) {
    live_.reset();
  } else if (!live_) {
    live_ = std::make_unique<LiveLine>(loop_, log_, STDERR_FILENO, [this, utf8 = locale_is_utf8()] {
      return totals_sentence(totals(), kMostShown, utf8);
    });
  }
  if (output_ == nullptr) return;
  if (live_ && is_terminal(STDOUT_FILENO)) {
    output_->set_before_write([this] {
      if (live_) live_->erase();  // it ends before the last records are written
    });
  } else {
    output_->set_before_write({});
  }
}

void HostImpl::lend_terminal(Editor editor) {
  restore_terminal_ = std::move(editor.restore);
  output_->redirect(std::move(editor.print));
  update_live_line();
}

// Commands of exec: sinks are awaited.
void HostImpl::drain() {
  flush_all();
  const TimePoint until = saturating_add(clock_.now(), kPatience);
  while (output_->busy() && clock_.now() < until) loop_.run_once(until - clock_.now());
}

// A signal that comes while the reader of stdout keeps us waiting is heard.
void HostImpl::flush_all() {
  output_->flush_all();
  while (output_->has_unwritten() && fatal_signal_ == 0) {
    loop_.run_once(Duration::zero());
    output_->flush_all();
  }
}

bool HostImpl::is_bounded() const {
  const auto is_on = [this](std::string_view option) {
    if (!values_.declared(option) || !values_.given(option)) return false;
    return values_.find(option)->kind != ValueKind::flag || values_.flag(option);
  };
  if (std::ranges::any_of(action_.bounded_by, is_on)) return true;
  return action_.lifetime == Lifetime::bounded &&
         std::ranges::none_of(action_.until_told_by, is_on);
}

int HostImpl::exit_code(ExitStatus returned) const {
  if (fatal_signal_ != 0) return signal_exit_status(fatal_signal_);
  if (output_failure_) return static_cast<int>(*output_failure_);
  if (stopping_ == StopReason::timeout) return static_cast<int>(ExitStatus::timeout);
  if (signal_ != 0 && is_bounded()) return signal_exit_status(signal_);
  if (returned == ExitStatus::done && output_->has_left_out()) {
    return static_cast<int>(ExitStatus::output);
  }
  return static_cast<int>(returned);
}

std::string HostImpl::error_of(int code) const {
  if (code == 0) return {};
  if (signal_ != 0 && code == signal_exit_status(signal_)) {
    return std::string("ended by signal ") + (signal_ == SIGINT ? "INT" : "TERM");
  }
  if (!error_.empty()) return error_;
  return meaning_of(code);
}

void HostImpl::emit_end(std::string_view error) {
  if (options_.end_record) output_->emit_end(end_record(totals(), error));
}

int HostImpl::end(ExitStatus returned) {
  live_.reset();
  if (fatal_signal_ != 0) return exit_code(returned);
  take_over_signals();
  drain();
  emit_end(error_of(exit_code(returned)));
  flush_all();
  // At the level that is always shown: final_line() has taken the level into account.
  if (fatal_signal_ != 0) return exit_code(returned);
  if (const std::string line = final_line(); !line.empty()) log_.error(line);
  return exit_code(returned);
}

std::string HostImpl::hinted(ExitStatus status, const std::string& error) const {
  return status == ExitStatus::usage ? with_help_hint(error, command_, action_.name) : error;
}

int HostImpl::report_error(const Error& error) {
  live_.reset();
  if (restore_terminal_) restore_terminal_();
  log_.error(hinted(error.status(), error.what()));
  if (output_) {
    emit_end(error.what());
    output_->flush_all();
  }
  return exit_code(error.status());
}

int run_action(const std::string& command, const ActionDef& action, const Values& values,
               const Registry& registry) {
  const SystemClock clock;
  int status = 0;
  int signo = 0;
  {
    // The command's registrations are on the host's loop, so it goes first.
    HostImpl host(command, action, values, clock,
                  [&registry](std::string_view scheme) { return registry.load_store(scheme); });
    const std::unique_ptr<Command> work = make_command(action, values);
    try {
      status = host.run(*work);
    } catch (const Error& error) {
      status = host.report_error(error);
    }
    signo = host.fatal_signal();
  }
  if (signo != 0) end_by_signal(signo);
  return status;
}

}  // namespace netkit
