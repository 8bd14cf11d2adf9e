// The totals of a run in Prometheus' text format.
#pragma once

#include <string>
#include <string_view>

#include <netkit/record/totals.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// What a scrape says of the process.
struct ProcessInfo {
  std::string_view command;
  std::string_view action;
  WallTime started;
};

// Version 0.0.4 of the format: netkit_build_info, process_start_time_seconds, then a family for
// each total or MetricDef, with HELP and TYPE as declared. A total that nothing declares is left
// out. Any thread.
NETKIT_API std::string metrics_text(const Totals& totals, const ProcessInfo& process);

}  // namespace netkit
