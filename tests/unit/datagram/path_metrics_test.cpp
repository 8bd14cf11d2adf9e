#include <gtest/gtest.h>

#include <netkit/datagram/path_metrics.hpp>

namespace netkit::datagram {
namespace {

using namespace std::chrono_literals;

TEST(PathMetrics, AreSummariesOfWhatIsKnown) {
  std::string text;
  append_path_metrics(text, {{20ms, 10, 100, 1}, {40ms, 30, 0, 2}, {0ms, 32, 0, 0}});
  EXPECT_NE(text.find("# TYPE netkit_path_rtt_seconds summary\n"
                      "netkit_path_rtt_seconds{quantile=\"0.5\"} 0.04\n"),
            text.npos)
      << text;
  EXPECT_NE(text.find("netkit_path_rtt_seconds_count 2\n"), text.npos) << text;
  EXPECT_NE(text.find("netkit_path_window_datagrams_sum 72\n"), text.npos) << text;
  EXPECT_NE(text.find("netkit_path_rate_datagrams_per_second{quantile=\"0.99\"} 100\n"), text.npos);
  EXPECT_NE(text.find("netkit_path_retransmitted_datagrams_sum 3\n"), text.npos);
}

TEST(PathMetrics, OfNobodyAreEmptySummaries) {
  std::string text;
  append_path_metrics(text, {});
  EXPECT_EQ(text.find("quantile"), text.npos);
  EXPECT_NE(text.find("netkit_path_rtt_seconds_count 0\n"), text.npos);
}

TEST(PathMetrics, AreALineForPeople) {
  EXPECT_EQ(path_text({40500us, 64, 1250.4, 3}),
            "round trip 40.5ms, window 64, 1250 datagrams a second, 3 sent again");
  EXPECT_EQ(path_text({0ms, 32, 0, 0}), "no round trip, window 32, 0 sent again");
}

}  // namespace
}  // namespace netkit::datagram
