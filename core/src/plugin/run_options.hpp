// The common options of a run, as Host needs them.
#pragma once

#include "record/output_impl.hpp"

#include <optional>
#include <string>

#include <netkit/cli/option.hpp>
#include <netkit/cli/values.hpp>
#include <netkit/util/clock.hpp>
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
  OutputOptions output;
};

// Throws UsageError for a template that does not parse.
RunOptions read_run_options(const ActionDef& action, const Values& values, bool stdout_is_terminal);

}  // namespace netkit
