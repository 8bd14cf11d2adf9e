#include "plugin/totals_report.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/http/http_text.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/net/server_sockets.hpp>
#include <netkit/util/format.hpp>
#include <netkit/util/histogram.hpp>
#include <netkit/util/text.hpp>
#include <netkit/version.hpp>

namespace netkit {
namespace {

// `kernel_drops` as people write it.
std::string words_of(std::string_view name) {
  std::string words(name);
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

// With three decimals at most.
void append_short(std::string& out, double value) {
  append_fixed(out, value, 3);
  if (out.find('.') == out.npos) return;
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
}

std::string short_text(const Totals::Value& value) {
  std::string text;
  if (const auto* whole = std::get_if<std::uint64_t>(&value)) {
    append_unsigned(text, *whole);
  } else {
    append_short(text, std::get<double>(value));
  }
  return text;
}

std::string_view without(std::string_view name, std::string_view unit) {
  return name.ends_with(unit) ? name.substr(0, name.size() - unit.size()) : name;
}

TotalUnit unit_of(const Totals::Entry& entry) {
  if (entry.definition == nullptr) return TotalUnit::count;
  const MetricDef* const metric = entry.definition->metric;
  return metric != nullptr && metric->name == kBytesMetric.name ? TotalUnit::bytes
                                                                : entry.definition->unit;
}

// `received 1,234`, `bytes 53 kB`, `p50 83 µs`, `loss 2.5 %`. `time` is the unit of all times of a
// line: the first of them chooses it.
std::string text_for_people(const Totals::Entry& entry, std::optional<LatencyUnit>& time,
                            bool utf8) {
  const double value =
      std::visit([](auto number) { return static_cast<double>(number); }, entry.value);
  switch (unit_of(entry)) {
    case TotalUnit::bytes:
      return words_of(entry.name) + " " + short_quantity(value, "B");
    case TotalUnit::milliseconds: {
      const Duration latency(static_cast<Duration::rep>(value * 1e6));
      if (!time) time.emplace(latency, utf8);
      return words_of(without(entry.name, "_ms")) + " " + time->text(latency);
    }
    case TotalUnit::percent:
      return words_of(without(entry.name, "_percent")) + " " + short_number(value) + " %";
    default:
      break;
  }
  const auto* const whole = std::get_if<std::uint64_t>(&entry.value);
  return words_of(entry.name) + " " + (whole != nullptr ? grouped(*whole) : short_number(value));
}

bool is_zero(const Totals::Value& value) {
  return std::visit([](auto number) { return number == 0; }, value);
}

// Parts of the names of what counts a loss.
constexpr std::string_view kLosses[] = {"lost", "dropped", "drops", "unsendable", "missed"};

// Since the totals before; nothing for what is no counter.
std::optional<double> rate_of(const Totals::Entry& entry, const TotalsBefore& before) {
  const auto* const now = std::get_if<std::uint64_t>(&entry.value);
  const bool is_counter =
      entry.definition == nullptr || entry.definition->kind == TotalKind::counter;
  if (before.seconds <= 0 || now == nullptr || !is_counter) return std::nullopt;
  for (const Totals::Entry& then : before.totals.entries()) {
    const auto* const count = std::get_if<std::uint64_t>(&then.value);
    if (then.name != entry.name || count == nullptr || *count > *now) continue;
    return static_cast<double>(*now - *count) / before.seconds;
  }
  return static_cast<double>(*now) / before.seconds;
}

void append_field(std::string& line, std::string_view name, const Totals::Value& value) {
  line += ',';
  append_json_lossy(line, name);
  line += ':';
  if (const auto* whole = std::get_if<std::uint64_t>(&value)) {
    append_unsigned(line, *whole);
  } else {
    append_json_number(line, std::get<double>(value));
  }
}

struct Family {
  std::string name;
  std::string_view help;
  std::string_view type;
  std::string samples;
};

std::string family_name(const TotalDef& total) {
  std::string name = "netkit_";
  name += total.metric != nullptr ? total.metric->name : total.name;
  if (total.unit == TotalUnit::milliseconds) {
    if (name.ends_with("_ms")) name.resize(name.size() - 3);
    name += "_seconds";
  }
  if (total.kind == TotalKind::counter) name += "_total";
  return name;
}

void append_value(std::string& out, const Totals::Entry& entry) {
  if (const auto* whole = std::get_if<std::uint64_t>(&entry.value)) {
    append_unsigned(out, *whole);
  } else if (entry.definition->unit == TotalUnit::milliseconds) {
    append_fixed(out, std::get<double>(entry.value) / 1000, 9);
  } else {
    append_fixed(out, std::get<double>(entry.value), 6);
  }
}

// A family's samples stand together, wherever its totals stand among the others.
Family& family_of(std::vector<Family>& families, const TotalDef& total) {
  std::string name = family_name(total);
  for (Family& family : families) {
    if (family.name == name) return family;
  }
  return families.emplace_back(Family{std::move(name),
                                      total.metric != nullptr ? total.metric->help : total.help,
                                      total.kind == TotalKind::counter ? "counter" : "gauge",
                                      {}});
}

void append_sample(std::vector<Family>& families, const Totals::Entry& entry) {
  const TotalDef& total = *entry.definition;
  Family& family = family_of(families, total);
  family.samples += family.name;
  if (total.metric != nullptr) {
    fmt::format_to(std::back_inserter(family.samples), "{{{}=\"{}\"}}", total.metric->label,
                   total.label_value);
  }
  family.samples += ' ';
  append_value(family.samples, entry);
  family.samples += '\n';
}

void append_family(std::string& text, const Family& family) {
  fmt::format_to(std::back_inserter(text), "# HELP {0} {1}\n# TYPE {0} {2}\n{3}", family.name,
                 family.help, family.type, family.samples);
}

HttpServer::Options few_and_quick() {
  HttpServer::Options options{.limits = {.max_method = 16, .host_is_needed = false},
                              .request_timeout = std::chrono::seconds(5),
                              .timeout_option = {},
                              .keeps_alive = false,
                              .has_date = false};
  options.tcp.max_clients = 16;
  options.tcp.limit_option = {};
  return options;
}

HttpRoutes metrics_routes(const AddressSpec& address, std::function<std::string()> text) {
  HttpRoutes routes({.permits_host = http::own_hosts({address.host}), .host_option = {}});
  routes.add("/metrics", [text = std::move(text)](const HttpRequest& request) {
    if (request.minor_version >= 1 && !request.header("Host")) {
      return HttpAnswer::text(400, "exactly one Host header is needed");
    }
    return HttpAnswer{.type = "text/plain; version=0.0.4; charset=utf-8", .body = text()};
  });
  routes.add("/*", [](const HttpRequest&) { return HttpAnswer::text(404, "see /metrics"); });
  return routes;
}

}  // namespace

std::string totals_line(const Totals& totals, const TotalsBefore& before) {
  std::string line;
  const auto add = [&line](std::string_view name, const Totals::Value& value) {
    if (!line.empty()) line += ", ";
    line += words_of(name) + " " + short_text(value);
  };
  for (const Totals::Entry& entry : totals.entries()) {
    if (!entry.measured()) continue;
    add(entry.name, entry.value);
    if (const auto rate = rate_of(entry, before)) add(fmt::format("{}_per_s", entry.name), *rate);
  }
  return line;
}

std::string totals_sentence(const Totals& totals, std::size_t most, bool utf8) {
  std::string line;
  std::optional<LatencyUnit> time;
  for (const Totals::Entry& entry : totals.entries()) {
    if (!entry.measured() || is_zero(entry.value)) continue;
    if (most-- == 0) break;
    if (!line.empty()) line += ", ";
    line += text_for_people(entry, time, utf8);
  }
  return line;
}

bool has_losses(const Totals& totals) {
  return std::ranges::any_of(totals.entries(), [](const Totals::Entry& entry) {
    const MetricDef* const metric =
        entry.definition == nullptr ? nullptr : entry.definition->metric;
    const std::string_view name = metric == nullptr ? entry.name : metric->name;
    return entry.measured() && !is_zero(entry.value) &&
           std::ranges::any_of(kLosses,
                               [&](std::string_view loss) { return name.find(loss) != name.npos; });
  });
}

std::string stats_record(const Totals& totals, const TotalsBefore& before, WallTime time) {
  std::string line = "{\"type\":\"stats\",\"time\":\"";
  TimeFormatter().append_rfc3339(line, time);
  line += '"';
  for (const Totals::Entry& entry : totals.entries()) {
    append_field(line, entry.name, entry.value);
    if (const auto rate = rate_of(entry, before)) {
      append_field(line, fmt::format("{}_per_s", entry.name), *rate);
    }
  }
  line += "}\n";
  return line;
}

std::string end_record(const Totals& totals, std::string_view error) {
  std::string line = "{\"type\":\"end\",\"ok\":";
  line += error.empty() ? "true" : "false";
  if (!error.empty()) {
    line += ",\"error\":";
    append_json_lossy(line, error);
  }
  for (const Totals::Entry& entry : totals.entries()) append_field(line, entry.name, entry.value);
  line += "}\n";
  return line;
}

std::string metrics_text(const Totals& totals, const ProcessInfo& process) {
  const std::chrono::duration<double> started = process.started.time_since_epoch();
  std::vector<Family> families{
      {"netkit_build_info", "version, command and action", "gauge",
       fmt::format("netkit_build_info{{version=\"{}\",command=\"{}\",action=\"{}\"}} 1\n",
                   NETKIT_VERSION, process.command, process.action)},
      {"netkit_out_of_memory_total", "input dropped for lack of memory", "counter",
       fmt::format("netkit_out_of_memory_total {}\n", process.out_of_memory)},
      {"process_start_time_seconds", "start time in seconds since 1970", "gauge",
       fmt::format("process_start_time_seconds {:.3f}\n", started.count())}};
  for (const Totals::Entry& entry : totals.entries()) {
    if (entry.definition != nullptr && entry.measured()) append_sample(families, entry);
  }
  std::string text;
  for (const Family& family : families) append_family(text, family);
  return text;
}

MetricsServer::MetricsServer(EventLoop& loop, const std::string& address,
                             std::function<std::string()> text)
    : address_(AddressSpec::parse(address, AddressRole::server)),
      http_(loop, silent_, few_and_quick(), metrics_routes(address_, std::move(text))) {
  // Not what was passed (LISTEN_FDS): that is for the command.
  for (const Endpoint& local : resolve(address_)) {
    http_.tcp().listen(listen_tcp(local));
  }
}

}  // namespace netkit
