#include "plugin/totals_report.hpp"

#include <vector>

#include <gtest/gtest.h>

#include <netkit/util/error.hpp>
#include <netkit/version.hpp>

namespace netkit {
namespace {

constexpr MetricDef kDropped{"dropped", "reason", "what was not answered"};

const std::vector<TotalDef> kTotals{
    {"received", "what came"},
    labelled_total(kDropped, "rate", "dropped_rate", "over the rate"),
    {"clients", "current clients", kGauge},
    labelled_total(kDropped, "port", "dropped_port", "from a service"),
    {.name = "rtt_max_ms", .help = "the longest", .kind = kGauge, .unit = TotalUnit::milliseconds}};

// What follows the families that every scrape has.
std::string text_of(const Totals& totals) {
  const WallTime started{std::chrono::milliseconds(1'500)};
  const std::string text = metrics_text(totals, {"echo", "serve", started});
  const std::string_view last = "process_start_time_seconds 1.500\n";
  return text.substr(text.find(last) + last.size());
}

TEST(MetricsText, SaysWhatIsRunningSinceWhen) {
  const WallTime started{std::chrono::milliseconds(1'500)};
  EXPECT_EQ(metrics_text(Totals(), {"echo", "serve", started, 3}),
            "# HELP netkit_build_info version, command and action\n"
            "# TYPE netkit_build_info gauge\n"
            "netkit_build_info{version=\"" NETKIT_VERSION
            "\",command=\"echo\",action=\"serve\"} 1\n"
            "# HELP netkit_out_of_memory_total input dropped for lack of memory\n"
            "# TYPE netkit_out_of_memory_total counter\n"
            "netkit_out_of_memory_total 3\n"
            "# HELP process_start_time_seconds start time in seconds since 1970\n"
            "# TYPE process_start_time_seconds gauge\n"
            "process_start_time_seconds 1.500\n");
}

TEST(MetricsText, TellsCountersFromGauges) {
  Totals totals(kTotals);
  totals.add("received", std::uint64_t{7});
  totals.add("clients", std::uint64_t{2});
  EXPECT_EQ(text_of(totals),
            "# HELP netkit_received_total what came\n"
            "# TYPE netkit_received_total counter\n"
            "netkit_received_total 7\n"
            "# HELP netkit_clients current clients\n"
            "# TYPE netkit_clients gauge\n"
            "netkit_clients 2\n");
}

TEST(MetricsText, PutsTheLabelsOfAMetricTogether) {
  Totals totals(kTotals);
  totals.add("dropped_rate", std::uint64_t{1});
  totals.add("received", std::uint64_t{7});
  totals.add("dropped_port", std::uint64_t{3});
  EXPECT_EQ(text_of(totals),
            "# HELP netkit_dropped_total what was not answered\n"
            "# TYPE netkit_dropped_total counter\n"
            "netkit_dropped_total{reason=\"rate\"} 1\n"
            "netkit_dropped_total{reason=\"port\"} 3\n"
            "# HELP netkit_received_total what came\n"
            "# TYPE netkit_received_total counter\n"
            "netkit_received_total 7\n");
}

TEST(MetricsText, CountsTimeInSeconds) {
  Totals totals(kTotals);
  totals.add("rtt_max_ms", 12.5);
  EXPECT_EQ(text_of(totals),
            "# HELP netkit_rtt_max_seconds the longest\n"
            "# TYPE netkit_rtt_max_seconds gauge\n"
            "netkit_rtt_max_seconds 0.012500000\n");
}

TEST(Totals, TakeOnlyWhatIsDeclared) {
  Totals totals(kTotals);
  EXPECT_THROW(totals.add("recieved", std::uint64_t{1}), PluginError);
  EXPECT_TRUE(totals.entries().empty());
}

}  // namespace
}  // namespace netkit
