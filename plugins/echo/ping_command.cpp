#include <algorithm>
#include <echo/ping_command.hpp>
#include <echo/report.hpp>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include <netkit/net/peer_log.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/quantity.hpp>
#include <netkit/util/text.hpp>

namespace netkit::echo {

namespace {

constexpr std::size_t kMaxTargetsFile = 16 << 20;

// As on the command line, `HOST PORT` too.
AddressSpec read_target(std::string_view line) {
  const std::size_t blank = line.find_last_of(" \t");
  if (blank == std::string_view::npos) return AddressSpec::parse(line, AddressRole::client);
  return AddressSpec::parse(trim_white_space(line.substr(0, blank)), line.substr(blank + 1),
                            AddressRole::client);
}

}  // namespace

void PingCommand::configure(const Values& values) {
  targets_file_ = values.text("targets");
  if (targets_file_.empty() || values.given("ADDRESS")) addresses_ = values.addresses("ADDRESS");
  options_.interval = values.duration("interval");
  options_.wait = values.duration("wait");
  options_.size = values.size("size");
  options_.dscp = static_cast<unsigned>(values.integer("dscp"));
  if (values.flag("tcp")) options_.way = PingOptions::Way::tcp;
  if (values.flag("connect")) options_.way = PingOptions::Way::connect;
  if (values.given("wait-for")) options_.wait_for = values.duration("wait-for");
  if (values.given("count")) options_.count = static_cast<std::uint64_t>(values.integer("count"));
  if (!options_.count && options_.wait_for) options_.count = 1;
  options_.thresholds = read_thresholds(values);
}

void PingCommand::add_targets_of_file() {
  if (targets_file_.empty()) return;
  const FileContent file = targets_file_ == "-" ? read_file(STDIN_FILENO, kMaxTargetsFile)
                                                : read_file(targets_file_, kMaxTargetsFile);
  if (file.error != 0) {
    throw SystemError(file.error, "cannot read " + targets_file_, ExitStatus::output);
  }
  std::string_view rest = file.bytes;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = trim_white_space(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty() || line.starts_with('#')) continue;
    AddressSpec address = read_target(line);
    address.family = host_->values().family();
    address.sources = host_->values().sources();
    addresses_.push_back(std::move(address));
  }
  if (addresses_.empty()) throw UsageError("--targets: no address in " + targets_file_);
}

ExitStatus PingCommand::run(Host& host) {
  host_ = &host;
  add_targets_of_file();
  options_.many = addresses_.size() > 1;
  for (const AddressSpec& address : addresses_) {
    targets_.emplace_back(host, options_, address, [this] { on_end(); });
  }
  host.set_totals([this](Totals& totals) { show(totals); });
  host.set_metrics([this](std::string& text) { append_metrics(text); });
  host.on_stop([this](StopReason reason) {
    told_to_end_ = reason == StopReason::signal && !options_.count;
    for (PingTarget& target : targets_) target.end();
  });
  for (PingTarget& target : targets_) start(target);
  return host.run_loop();
}

// A server that cannot be measured does not prevent measuring the others.
void PingCommand::start(PingTarget& target) {
  try {
    target.start();
  } catch (const Error& error) {
    if (!options_.many) throw;
    target.fail(error.status(), error.what());
  }
}

void PingCommand::on_end() {
  if (std::ranges::all_of(targets_, &PingTarget::ended)) finish();
}

// The worst one decides; the reasons of the others are reported as well. A run without an end or a
// threshold, which was only watched, has no verdict.
void PingCommand::finish() {
  const bool wants_verdict = !told_to_end_ || options_.thresholds.any();
  const auto worst = std::ranges::max_element(targets_, {}, &PingTarget::verdict);
  for (const PingTarget& target : targets_) {
    if (options_.many) emit_summary(target);
    if (!target.failed()) {
      host_->output().write_text(ping_report(target.peer(), target.statistics(), locale_is_utf8()));
    }
    const std::string error = target.verdict_error();
    if (!wants_verdict) continue;
    if (&target != &*worst && !error.empty()) host_->log().error(error);
  }
  if (!wants_verdict) return host_->finish(ExitStatus::done);
  host_->finish(worst->verdict(), worst->verdict_error());
}

void PingCommand::emit_summary(const PingTarget& target) {
  const std::string peer = target.peer();
  std::vector<Field> fields{{"target", std::string_view(peer)}};
  for (const auto& [name, value] : ping_numbers(target.statistics())) {
    fields.push_back({name, std::visit([](auto number) { return FieldValue(number); }, value)});
  }
  host_->output().emit({.type = "summary",
                        .time = host_->clock().wall(),
                        .peer = nullptr,
                        .fields = fields,
                        .payload = std::nullopt,
                        .line = std::nullopt});
}

void PingCommand::show(Totals& totals) const {
  PingStatistics all(1);
  for (const PingTarget& target : targets_) all.merge(target.statistics());
  for (const auto& [name, value] : ping_numbers(all)) totals.add(name, value);
}

// By target, which totals cannot be.
void PingCommand::append_metrics(std::string& text) const {
  const auto family = [&](std::string_view name, std::string_view help, auto value) {
    text += fmt::format("# HELP {0} {1}\n# TYPE {0} counter\n", name, help);
    for (const PingTarget& target : targets_) {
      text +=
          fmt::format("{}{{target=\"{}\"}} {}\n", name, target.name(), value(target.statistics()));
    }
  };
  family("netkit_ping_probes_total", "probes sent",
         [](const PingStatistics& of) { return of.sent(); });
  family("netkit_ping_replies_total", "probes answered",
         [](const PingStatistics& of) { return of.received(); });
  constexpr std::string_view kRtt = "netkit_ping_rtt_seconds";
  text += fmt::format("# HELP {0} round-trip times\n# TYPE {0} histogram\n", kRtt);
  for (const PingTarget& target : targets_) {
    target.statistics().rtt().append_samples(text, kRtt,
                                             fmt::format("target=\"{}\"", target.name()));
  }
}

}  // namespace netkit::echo
