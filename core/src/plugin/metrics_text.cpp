#include "plugin/metrics_text.hpp"

#include <chrono>
#include <iterator>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include <netkit/util/format.hpp>
#include <netkit/version.hpp>

namespace netkit {
namespace {

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

}  // namespace

std::string metrics_text(const Totals& totals, const ProcessInfo& process) {
  const std::chrono::duration<double> started = process.started.time_since_epoch();
  std::vector<Family> families{
      {"netkit_build_info", "what is running", "gauge",
       fmt::format("netkit_build_info{{version=\"{}\",command=\"{}\",action=\"{}\"}} 1\n",
                   NETKIT_VERSION, process.command, process.action)},
      {"process_start_time_seconds", "when it was started, in seconds since 1970", "gauge",
       fmt::format("process_start_time_seconds {:.3f}\n", started.count())}};
  for (const Totals::Entry& entry : totals.entries()) {
    if (entry.definition != nullptr) append_sample(families, entry);
  }
  std::string text;
  for (const Family& family : families) append_family(text, family);
  return text;
}

}  // namespace netkit
