#include "record/exec_sink.hpp"

#include "record/field_text.hpp"

#include <cerrno>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include <netkit/util/error.hpp>
#include <netkit/util/format.hpp>

namespace netkit {
namespace {

constexpr std::size_t kBytesPerWaiting = std::size_t{16} * 1024;
constexpr std::size_t kMaxVariable = std::size_t{64} * 1024;  // half of what Linux allows for one

using Environment = std::vector<std::pair<std::string, std::string>>;

void add_variable(Environment& environment, std::string_view name, std::string value) {
  if (value.size() > kMaxVariable || value.find('\0') != value.npos) return;
  environment.emplace_back(fmt::format("NETKIT_{}", name), std::move(value));
}

std::string variable_name(std::string_view field) {
  std::string name(field);
  for (char& c : name) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return name;
}

Environment environment_of(const Record& record) {
  Environment environment;
  add_variable(environment, "TYPE", std::string(record.type));
  add_variable(environment, "TIME", rfc3339(record.time));
  if (record.peer != nullptr) {
    add_variable(environment, "PEER", record.peer->to_string());
    add_variable(environment, "IP", record.peer->address().to_string());
    add_variable(environment, "PORT", std::to_string(record.peer->port()));
  }
  for (const Field& field : record.fields) {
    std::string value;
    append_value(value, field.value, Escaping::none);
    add_variable(environment, variable_name(field.name), std::move(value));
  }
  if (record.payload) add_variable(environment, "TEXT", std::string(*record.payload));
  return environment;
}

}  // namespace

std::size_t ExecSink::Job::size() const {
  std::size_t bytes = text.size();
  for (const auto& [name, value] : environment) bytes += name.size() + value.size();
  return bytes;
}

ExecSink::ExecSink(std::string command, std::size_t number, std::unique_ptr<Formatter> formatter,
                   EventLoop& loop, const Log& log, const ExecLimits& limits)
    : command_(std::move(command)),
      formatter_(std::move(formatter)),
      loop_(loop),
      log_(log),
      limits_(limits),
      totals_("exec", number) {}

ExecSink::Job ExecSink::make_job(const Record& record) {
  Job job;
  formatter_->format(record, job.text);
  job.environment = environment_of(record);
  return job;
}

void ExecSink::take(const Record& record) {
  if (running_.size() < limits_.processes) return start(make_job(record));
  if (waiting_.size() >= limits_.waiting || waiting_bytes_ >= limits_.waiting * kBytesPerWaiting) {
    if (dropped_++ == 0) {
      log_.notice(
          fmt::format("exec:{}: records arrive faster than its commands finish; {} wait, others "
                      "are dropped (--max-exec, --max-exec-waiting)",
                      command_, waiting_.size()));
    }
    return;
  }
  waiting_.push_back(make_job(record));
  waiting_bytes_ += waiting_.back().size();
}

void ExecSink::start(Job job) {
  ProcessOptions options;
  options.shell_command = command_;
  options.environment = std::move(job.environment);
  options.pipe_stdin = true;
  options.own_group = true;  // Ctrl-C at the terminal is for netkit, which awaits its commands
  const auto child = running_.emplace(running_.end());
  child->text = std::move(job.text);
  try {
    child->process =
        Process::start(loop_, options, [this, child](ProcessEnd end) { ended(child, end); });
  } catch (const Error& error) {
    running_.erase(child);
    ++dropped_;
    // One line, as all that wait meet the same.
    const LogLevel level = std::exchange(said_unstarted_, true) ? LogLevel::info : LogLevel::notice;
    log_.write(level, fmt::format("exec: {}", error.what()));
    return;
  }
  ++sent_;
  child->input = child->process->take_stdin();
  feed(*child);
}

void ExecSink::feed(Child& child) {
  while (child.written < child.text.size()) {
    const ssize_t count = ::write(child.input.get(), child.text.data() + child.written,
                                  child.text.size() - child.written);
    if (count >= 0) {
      child.written += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN) {
      if (!child.watch) {
        child.watch =
            loop_.watch(child.input.get(), Interest::write, [this, &child](Ready) { feed(child); });
      }
      return;
    } else if (errno != EINTR) {
      break;  // it has ended, or does not read its input
    }
  }
  child.watch.reset();
  child.input.reset();
}

void ExecSink::ended(Children::iterator child, ProcessEnd end) {
  if (end.status != 0) {
    // One line, as commands that fail may do so for each record.
    const LogLevel level = failed_++ == 0 ? LogLevel::notice : LogLevel::info;
    log_.write(level, fmt::format("exec:{} ended with status {}", command_, end.status));
  }
  child->watch.reset();
  loop_.destroy_later(std::move(child->process));
  running_.erase(child);
  // More than one where a command cannot be started: nothing would start those behind it.
  while (!waiting_.empty() && running_.size() < limits_.processes) {
    Job job = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_bytes_ -= job.size();
    start(std::move(job));
  }
}

void ExecSink::add_totals(Totals& totals) const {
  totals.add(totals_.sent, sent_);
  totals.add(totals_.dropped, dropped_);
  totals.add(totals_.failed, failed_);
}

}  // namespace netkit
