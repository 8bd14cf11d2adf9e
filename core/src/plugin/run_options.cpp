#include "plugin/host_impl.hpp"

#include <algorithm>
#include <string_view>
#include <unistd.h>
#include <vector>

#include <netkit/plugin/host.hpp>
#include <netkit/util/terminal.hpp>

namespace netkit {
namespace {

bool is_set(const Values& values, std::string_view option) {
  return values.declared(option) && values.flag(option);
}

bool is_given(const Values& values, std::string_view option) {
  return values.declared(option) && values.given(option);
}

bool has(const Values& values, std::string_view option) {
  return values.declared(option) && values.has(option);
}

LogLevel log_level(const Values& values) {
  if (is_set(values, "quiet")) return LogLevel::error;
  const std::int64_t verbose = values.declared("verbose") ? values.count("verbose") : 0;
  constexpr auto kNotice = static_cast<std::int64_t>(LogLevel::notice);
  constexpr auto kMost = static_cast<std::int64_t>(LogLevel::hex) - kNotice;
  return static_cast<LogLevel>(kNotice + std::min(verbose, kMost));
}

bool wants_color(const Values& values) {
  const std::string when = values.declared("color") ? values.text("color") : "auto";
  return when == "always" || (when != "never" && takes_colors(STDOUT_FILENO));
}

// Those that a template may show.
std::vector<std::string_view> field_names(const ActionDef& action) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < action.records.size(); ++i) {
    const RecordDef& record = action.records[i];
    if (!is_main_record(record, i)) continue;
    for (const FieldDef& field : record.fields) {
      if (std::find(names.begin(), names.end(), field.name) == names.end()) {
        names.push_back(field.name);
      }
    }
  }
  return names;
}

// An action's own `--template` has another meaning: what `chat serve` sends.
bool has_own_template(const ActionDef& action) {
  return std::any_of(action.options.begin(), action.options.end(),
                     [](const OptionDef& option) { return option.name == "template"; });
}

OutputOptions read_output_options(const ActionDef& action, const Values& values) {
  OutputOptions options;
  if (is_set(values, "json")) options.format = Format::json;
  if (is_set(values, "raw")) options.format = Format::raw;
  if (!has_own_template(action) && is_given(values, "template")) {
    options.record_template =
        Template::parse(values.text("template"), "--template", field_names(action));
  }
  if (is_given(values, "to")) options.to = values.texts("to");
  if (values.declared("max-exec")) {
    options.exec.processes = static_cast<std::size_t>(values.integer("max-exec"));
  }
  if (values.declared("max-exec-waiting")) {
    options.exec.waiting = static_cast<std::size_t>(values.integer("max-exec-waiting"));
  }
  options.escapes = !values.declared("escape") || values.text("escape") != "never";
  options.colored = options.format == Format::text && options.escapes && wants_color(values);
  options.hide_on_stdout =
      action.quiet_hides_records && is_set(values, "quiet") && !is_given(values, "to");
  return options;
}

}  // namespace

RunOptions read_run_options(const ActionDef& action, const Values& values) {
  RunOptions options;
  options.log_level = log_level(values);
  if (has(values, "timeout")) {
    options.timeout = values.duration("timeout");
  }
  options.stats = is_given(values, "stats");
  if (options.stats && !values.text("stats").empty()) {
    options.stats_period = values.duration("stats");
  }
  if (is_given(values, "ready-fd")) {
    options.ready_fd = static_cast<int>(values.integer("ready-fd"));
  }
  options.end_record = !is_set(values, "no-end");
  if (has(values, "sandbox")) options.sandbox = values.text("sandbox");
  if (is_given(values, "metrics")) options.metrics = values.text("metrics");
  options.output = read_output_options(action, values);
  return options;
}

std::optional<std::size_t> Host::max_line() const {
  if (!has(values(), "max-line")) return std::nullopt;
  return static_cast<std::size_t>(values().size("max-line"));
}

std::unique_ptr<Sources> open_sources(Host& host, Sources::Handler& handler,
                                      const SourceDefaults& defaults) {
  const Values& values = host.values();
  Sources::Options options;
  options.history = host.command();
  options.message = has(values, "message") ? values.text("message") : defaults.message;
  if (is_given(values, "exec")) {
    options.exec = values.text("exec");
    options.on_change = values.flag("on-change");
  }
  if (is_given(values, "from")) options.from = values.texts("from");
  options.tell_unread = options.from.empty() && defaults.every != kNever;
  if (is_given(values, "every")) {
    options.every = values.duration("every");
  } else if (options.from.empty()) {
    options.every = defaults.every;
    if (defaults.every == kNever && defaults.stdin_when_none) options.from.emplace_back("-");
  }
  return Sources::open(host, handler, options);
}

}  // namespace netkit
