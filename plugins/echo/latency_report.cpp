#include <echo/latency_report.hpp>

namespace netkit::echo {

namespace {
constexpr unsigned kWidth = 72;
}

void append_latency_report(std::string& out, std::string_view name,
                           const LatencyHistogram& histogram) {
  if (histogram.count() == 0) return;
  out += name;
  out += " min/mean/p50/p90/p99/max ";
  const Duration values[] = {histogram.min(),          histogram.mean(),
                             histogram.percentile(50), histogram.percentile(90),
                             histogram.percentile(99), histogram.max()};
  for (const Duration value : values) {
    if (out.back() != ' ') out += '/';
    out += latency_text(value);
  }
  out += '\n';
  out += histogram.render(kWidth);
}

}  // namespace netkit::echo
