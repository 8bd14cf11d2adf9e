#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include <netkit/datagram/path_metrics.hpp>
#include <netkit/util/histogram.hpp>

namespace netkit::datagram {
namespace {

void append_summary(std::string& out, std::string_view name, std::string_view help,
                    std::vector<double> values) {
  out += fmt::format("# HELP {0} {1}\n# TYPE {0} summary\n", name, help);
  std::ranges::sort(values);
  for (const double quantile : {0.5, 0.9, 0.99}) {
    if (values.empty()) break;
    const auto at = static_cast<std::size_t>(quantile * static_cast<double>(values.size()));
    out += fmt::format("{}{{quantile=\"{}\"}} {}\n", name, quantile, values[at]);
  }
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  out += fmt::format("{0}_sum {1}\n{0}_count {2}\n", name, sum, values.size());
}

}  // namespace

void append_path_metrics(std::string& out, const std::vector<PathStatus>& paths) {
  std::vector<double> rtts;
  std::vector<double> windows;
  std::vector<double> rates;
  std::vector<double> repeats;
  for (const PathStatus& path : paths) {
    if (path.rtt > Duration{}) rtts.push_back(std::chrono::duration<double>(path.rtt).count());
    if (path.rate > 0) rates.push_back(path.rate);
    windows.push_back(static_cast<double>(path.window));
    repeats.push_back(static_cast<double>(path.retransmitted));
  }
  append_summary(out, "netkit_path_rtt_seconds", "round-trip times to native peers",
                 std::move(rtts));
  append_summary(out, "netkit_path_window_datagrams",
                 "datagrams that may be in flight to a native peer", std::move(windows));
  append_summary(out, "netkit_path_rate_datagrams_per_second",
                 "datagrams a second that the path to a native peer delivers", std::move(rates));
  append_summary(out, "netkit_path_retransmitted_datagrams",
                 "datagrams retransmitted to a native peer", std::move(repeats));
}

std::string path_text(const PathStatus& path) {
  std::string text =
      path.rtt > Duration{} ? "round trip " + latency_text(path.rtt) : "no round trip";
  text += fmt::format(", window {}", path.window);
  if (path.rate > 0) text += fmt::format(", {:.0f} datagrams a second", path.rate);
  return text + fmt::format(", {} sent again", path.retransmitted);
}

}  // namespace netkit::datagram
