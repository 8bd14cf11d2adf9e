// Latencies for people: one line of figures, then the histogram.
#pragma once

#include <string>
#include <string_view>

#include <netkit/util/histogram.hpp>

namespace netkit::echo {

// Appends `NAME min/mean/p50/p90/p99/max 17.2us/.../1.25ms` and the histogram; nothing while there
// is no value.
void append_latency_report(std::string& out, std::string_view name,
                           const LatencyHistogram& histogram);

}  // namespace netkit::echo
